// Command probe is the only program in the smallest image for tests of the cluster itself. Without arguments it waits
// until it is stopped, which is all that the sandbox of a pod needs.
//
//	probe                   wait for SIGTERM, exit 143
//	probe exit CODE         exit at once
//	probe allocate MIB      touch that much memory, then exit 0
//	probe get URL           print what the URL answers, exit 1 unless it is 200
//	probe index A B C ...   do what the argument at $JOB_COMPLETION_INDEX says: "exit 3", "allocate 400", "wait"
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "index" {
		index := number(os.Getenv("JOB_COMPLETION_INDEX"))
		if index >= len(args)-1 {
			fail(2, "no argument for this index")
		}
		args = strings.Fields(args[index+1])
	}
	do(args)
}

func do(args []string) {
	switch {
	case len(args) == 0 || args[0] == "wait":
		wait()
	case len(args) == 2 && args[0] == "exit":
		os.Exit(number(args[1]))
	case len(args) == 2 && args[0] == "allocate":
		allocate(number(args[1]))
	case len(args) == 2 && args[0] == "get":
		get(args[1])
	default:
		fail(2, fmt.Sprintf("probe cannot do %q", args))
	}
}

func wait() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	os.Exit(143)
}

func allocate(mebibytes int) {
	const mebibyte, page = 1 << 20, 4096
	kept := make([][]byte, 0, mebibytes)
	for range mebibytes {
		block := make([]byte, mebibyte)
		for i := 0; i < mebibyte; i += page {
			block[i] = 1
		}
		kept = append(kept, block)
	}
	fmt.Printf("touched %d MiB\n", len(kept))
}

func get(url string) {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		fail(1, err.Error())
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		fail(1, err.Error())
	}
	if response.StatusCode != http.StatusOK {
		fail(1, response.Status)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < 0 {
		fail(2, "not a number: "+text)
	}
	return value
}

func fail(code int, message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(code)
}
