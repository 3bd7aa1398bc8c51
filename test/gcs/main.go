// A test double of Cloud Storage: fake-gcs-server with the documented semantics that it lacks.

// Objects, listings and metadata live in fake-gcs-server. What it does not check, or does otherwise than Cloud Storage
// documents, is done here, in front of it: preconditions and generations, resumable uploads, compositions, copies and
// downloads. What neither does as documented (a metadata update would make a new generation) is refused with 501.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// startsAny says whether a name begins with one of the prefixes.
func (l list) startsAny(name string) bool {
	for _, prefix := range l {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gcs:", err)
		os.Exit(1)
	}
}

func run() error {
	var buckets, denyRead, denyWrite list
	listen := flag.String("listen", "127.0.0.1:0", "loopback `address` to listen on; port 0 takes a free one")
	data := flag.String("data", "", "keep objects in this `folder`; without it, in memory")
	untilStdin := flag.Bool("until-stdin-closes", false, "end when standard input does, so that no test leaves a server behind")
	flag.Var(&buckets, "bucket", "create this `bucket`; may be repeated")
	flag.Var(&denyRead, "deny-read", "answer 403 to reads of objects under this `prefix`; may be repeated")
	flag.Var(&denyWrite, "deny-write", "answer 403 to writes of objects under this `prefix`; may be repeated")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see -help", flag.Arg(0))
	}

	listener, err := listenLoopback(*listen)
	if err != nil {
		return err
	}
	stock, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true, StorageRoot: *data})
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		stock.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucket})
	}
	scratch, err := os.MkdirTemp("", "widemerge-gcs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	closeWhenTold(listener, *untilStdin)
	fmt.Printf("listening on http://%s\n", listener.Addr())
	front := &front{stock: stock, onDisk: *data != "", scratch: scratch, denyRead: denyRead, denyWrite: denyWrite}
	if err := http.Serve(listener, front.handler()); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// closeWhenTold ends the server on SIGINT, SIGTERM and, where asked for, at the end of standard input.
func closeWhenTold(listener net.Listener, untilStdin bool) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if untilStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			signals <- os.Interrupt
		}()
	}
	go func() {
		<-signals
		_ = listener.Close()
	}()
}

// listenLoopback refuses any address that another machine could reach: the server knows no passwords.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-listen %s: not a loopback address", address)
	}
	return net.Listen("tcp", address)
}
