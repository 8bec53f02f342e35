// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Command grpc-peer is a server and a client of grpc-go for tests of a proxy between the two. `grpc-peer serve` prints the
// server's port, and then a line for each call whose client left. `grpc-peer call ADDRESS` makes the calls and prints a line
// of JSON for each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "test.Echo"

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		err = serve()
	case len(os.Args) == 3 && os.Args[1] == "call":
		err = callAll(os.Args[2])
	default:
		err = errors.New("usage: grpc-peer serve | grpc-peer call ADDRESS")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	unary := func(name string) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			request := new(wrapperspb.StringValue)
			if err := decode(request); err != nil {
				return nil, err
			}
			return answer(ctx, name, request.Value)
		}}
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{unary("Unary"), unary("Slow"), unary("Fail"), unary("Denied")},
		Streams:     []grpc.StreamDesc{{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true}},
	}, struct{}{})
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

func answer(ctx context.Context, name, text string) (any, error) {
	switch name {
	case "Slow":
		<-ctx.Done()
		fmt.Println("left", name, ctx.Err())
		return nil, ctx.Err()
	case "Fail":
		failure, err := status.New(codes.NotFound, "no such thing é").WithDetails(&errdetails.ErrorInfo{Reason: "GONE", Domain: "test"})
		if err != nil {
			return nil, err
		}
		return nil, failure.Err()
	}
	given, _ := metadata.FromIncomingContext(ctx)
	if err := grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", strings.Join(given.Get("x-key"), ","))); err != nil {
		return nil, err
	}
	return wrapperspb.String("<" + text + ">"), nil
}

func chat(_ any, stream grpc.ServerStream) error {
	for {
		message := new(wrapperspb.StringValue)
		err := stream.RecvMsg(message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			fmt.Println("left", "Chat", status.Code(err))
			return err
		}
		if err := stream.SendMsg(wrapperspb.String("<" + message.Value + ">")); err != nil {
			return err
		}
	}
}

// outcome is a line of the client's output.
type outcome struct {
	Call    string   `json:"call"`
	Code    string   `json:"code"`
	Message string   `json:"message,omitempty"`
	Value   string   `json:"value,omitempty"`
	Details []string `json:"details,omitempty"`
}

func outcomeOf(call, value string, err error) outcome {
	failure := status.Convert(err)
	result := outcome{Call: call, Code: failure.Code().String(), Message: failure.Message(), Value: value}
	for _, detail := range failure.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			result.Details = append(result.Details, info.Domain+"/"+info.Reason)
		} else {
			result.Details = append(result.Details, fmt.Sprintf("%T", detail))
		}
	}
	return result
}

func callAll(address string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("echo"))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	output := json.NewEncoder(os.Stdout)
	for _, each := range []func(context.Context, *grpc.ClientConn) outcome{
		callUnary, callLarge, callMany, callChat, callCancelled, callDeadline, callFail, callDenied,
	} {
		if err := output.Encode(each(ctx, connection)); err != nil {
			return err
		}
	}
	return nil
}

func invoke(ctx context.Context, connection *grpc.ClientConn, method, text string, options ...grpc.CallOption) (string, error) {
	reply := new(wrapperspb.StringValue)
	err := connection.Invoke(ctx, "/"+service+"/"+method, wrapperspb.String(text), reply, options...)
	return reply.Value, err
}

func callUnary(ctx context.Context, connection *grpc.ClientConn) outcome {
	var trailer metadata.MD
	ctx = metadata.AppendToOutgoingContext(ctx, "x-key", "key")
	value, err := invoke(ctx, connection, "Unary", "a", grpc.Trailer(&trailer))
	return outcomeOf("unary", value+strings.Join(trailer.Get("x-trailer"), ","), err)
}

// callLarge sends and receives more than every flow-control window.
func callLarge(ctx context.Context, connection *grpc.ClientConn) outcome {
	text := strings.Repeat("x", 3<<20)
	value, err := invoke(ctx, connection, "Unary", text)
	return outcomeOf("large", fmt.Sprint(value == "<"+text+">"), err)
}

// callMany makes 1,000 calls, 50 at a time.
func callMany(ctx context.Context, connection *grpc.ClientConn) outcome {
	errs := make([]error, 50)
	var group sync.WaitGroup
	for worker := range errs {
		group.Go(func() {
			for index := range 20 {
				text := fmt.Sprint(worker, "-", index)
				value, err := invoke(ctx, connection, "Unary", text)
				if err == nil && value != "<"+text+">" {
					err = fmt.Errorf("%q for %q", value, text)
				}
				errs[worker] = errors.Join(errs[worker], err)
			}
		})
	}
	group.Wait()
	return outcomeOf("many", "", errors.Join(errs...))
}

func openChat(ctx context.Context, connection *grpc.ClientConn) (grpc.ClientStream, error) {
	return connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Chat")
}

func exchange(stream grpc.ClientStream, text string) error {
	if err := stream.SendMsg(wrapperspb.String(text)); err != nil {
		return err
	}
	reply := new(wrapperspb.StringValue)
	if err := stream.RecvMsg(reply); err != nil {
		return err
	}
	if reply.Value != "<"+text+">" {
		return fmt.Errorf("%q for %q", reply.Value, text)
	}
	return nil
}

// callChat waits for the answer to each of 100 messages, so that the proxy must not hold any of them back.
func callChat(ctx context.Context, connection *grpc.ClientConn) outcome {
	stream, err := openChat(ctx, connection)
	for index := 0; err == nil && index < 100; index++ {
		err = exchange(stream, fmt.Sprint("message ", index))
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err == nil {
		err = stream.RecvMsg(new(wrapperspb.StringValue))
	}
	if errors.Is(err, io.EOF) {
		return outcomeOf("chat", "ended", nil)
	}
	return outcomeOf("chat", "", err)
}

func callCancelled(ctx context.Context, connection *grpc.ClientConn) outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := openChat(ctx, connection)
	if err == nil {
		err = exchange(stream, "a")
	}
	if err == nil {
		cancel()
		err = stream.RecvMsg(new(wrapperspb.StringValue))
	}
	return outcomeOf("cancelled", "", err)
}

func callDeadline(ctx context.Context, connection *grpc.ClientConn) outcome {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	value, err := invoke(ctx, connection, "Slow", "a")
	return outcomeOf("deadline", value, err)
}

func callFail(ctx context.Context, connection *grpc.ClientConn) outcome {
	value, err := invoke(ctx, connection, "Fail", "a")
	return outcomeOf("fail", value, err)
}

func callDenied(ctx context.Context, connection *grpc.ClientConn) outcome {
	value, err := invoke(ctx, connection, "Denied", "a")
	return outcomeOf("denied", value, err)
}
