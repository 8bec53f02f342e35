# One image for every part: the command says which. Built in one stage from the lock file, run as an ordinary user.
FROM node:24-bookworm-slim AS build
WORKDIR /purser
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /purser
COPY --from=build /purser/package.json ./
COPY --from=build /purser/node_modules ./node_modules
COPY --from=build /purser/dist ./dist
COPY --from=build /purser/policies ./policies
COPY --from=build /purser/scaffolds ./scaffolds
COPY --from=build /purser/examples ./examples
# A volume takes the owner of the folder that it is mounted on: the demo's keys and tokens.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/purser-identity /run/purser-joining
USER node
ENTRYPOINT ["node", "dist/cli/purser.js"]
CMD ["--help"]
