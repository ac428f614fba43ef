// A caller and an upstream that use Go's net/http:
//
//	nethttp serve           prints its port, and serves until it is ended
//	nethttp ask WHAT URL    WHAT is one of those in main(); exits with 0 if every answer was right
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const patience = 30 * time.Second

func check(right bool, format string, more ...interface{}) {
	if !right {
		fmt.Fprintf(os.Stderr, format+"\n", more...)
		os.Exit(1)
	}
}

func must(problem error) {
	check(problem == nil, "%v", problem)
}

func content(size, of int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i*31 + of)
	}
	return data
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// The upstream.

func serve() {
	mux := http.NewServeMux()
	steps := make(chan bool, 100)
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		data, problem := io.ReadAll(r.Body)
		if problem != nil {
			return
		}
		w.Header().Set("Trailer", "X-Sum, X-Request-Sum")
		w.Write(data)
		w.Header().Set("X-Sum", digest(data))
		w.Header().Set("X-Request-Sum", r.Trailer.Get("X-Request-Sum"))
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.Write([]byte("hinted"))
	})
	mux.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.RawQuery)
		w.WriteHeader(status)
	})
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge) // and the body is not asked for
	})
	mux.HandleFunc("/steps", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		for n := 0; n < 3; n++ {
			select {
			case <-steps:
			case <-r.Context().Done():
				return
			}
			fmt.Fprintf(w, "step %d\n", n)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/step", func(http.ResponseWriter, *http.Request) { steps <- true })
	listener, problem := net.Listen("tcp", "127.0.0.1:0")
	must(problem)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	must(http.Serve(listener, mux))
}

// The caller.

type caller struct {
	base    string
	client  *http.Client
	made    int32 // connections
	interim []string
	told    bool // to continue
}

func newCaller(base string) *caller {
	transport := &http.Transport{MaxIdleConnsPerHost: 10, MaxConnsPerHost: 10, ExpectContinueTimeout: patience}
	return &caller{base: base, client: &http.Client{Transport: transport, Timeout: patience}}
}

func (c *caller) request(method, path string, body io.Reader) *http.Request {
	trace := &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			if !got.Reused {
				atomic.AddInt32(&c.made, 1)
			}
		},
		Got1xxResponse: func(status int, fields textproto.MIMEHeader) error {
			c.interim = append(c.interim, fmt.Sprint(status, " ", fields.Get("Link")))
			return nil
		},
		Got100Continue: func() { c.told = true },
	}
	made, problem := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), method,
		c.base+path, body)
	must(problem)
	return made
}

func (c *caller) do(request *http.Request) (*http.Response, []byte) {
	answer, problem := c.client.Do(request)
	must(problem)
	data, problem := io.ReadAll(answer.Body)
	must(problem)
	answer.Body.Close()
	return answer, data
}

func bodies(c *caller) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		for of, size := range []int{0, 1, 65537, 500000} {
			answer, data := c.do(c.request(method, "/echo", bytes.NewReader(content(size, of))))
			check(bytes.Equal(data, content(size, of)), "%s %d: %d bytes", method, size, len(data))
			check(answer.Trailer.Get("X-Sum") == digest(data), "%s %d: %v", method, size, answer.Trailer)
		}
	}
	for _, status := range []int{204, 304, 404, 299} {
		answer, data := c.do(c.request("GET", "/status?"+strconv.Itoa(status), nil))
		check(answer.StatusCode == status && len(data) == 0, "status %d", answer.StatusCode)
	}
	answer, _ := c.do(c.request("HEAD", "/echo", nil))
	check(answer.StatusCode == 200, "HEAD: %d", answer.StatusCode)
	check(c.made == 1, "%d connections", c.made)
}

func trailers(c *caller) {
	reader, writer := io.Pipe()
	request := c.request("POST", "/echo", reader)
	request.Trailer = http.Header{"X-Request-Sum": nil}
	go func() {
		var all []byte
		for n := 1; n < 100; n++ {
			piece := content(n*37, n)
			all = append(all, piece...)
			writer.Write(piece)
		}
		request.Trailer.Set("X-Request-Sum", digest(all))
		writer.Close()
	}()
	answer, data := c.do(request)
	check(answer.Trailer.Get("X-Sum") == digest(data), "the answer's: %v", answer.Trailer)
	check(answer.Trailer.Get("X-Request-Sum") == digest(data), "the request's: %v", answer.Trailer)
}

func crowd(c *caller) {
	var all sync.WaitGroup
	for name := 0; name < 16; name++ {
		all.Add(1)
		go func(name int) {
			defer all.Done()
			for n := 0; n < 12; n++ {
				text := fmt.Sprintf("%d-%d", name, n)
				_, data := c.do(c.request("POST", "/echo", bytes.NewReader([]byte(text))))
				check(string(data) == text, "%s: %s", text, data)
			}
		}(name)
	}
	all.Wait()
	check(c.made <= 10, "%d connections", c.made)
}

func steps(c *caller) {
	answer, problem := c.client.Do(c.request("GET", "/steps", nil))
	must(problem)
	for n := 0; n < 3; n++ {
		c.do(c.request("GET", "/step", nil))
		piece := make([]byte, 7)
		_, problem := io.ReadFull(answer.Body, piece)
		must(problem)
		check(string(piece) == fmt.Sprintf("step %d\n", n), "%d: %s", n, piece)
	}
	rest, problem := io.ReadAll(answer.Body)
	must(problem)
	check(len(rest) == 0, "more: %s", rest)
}

func leaving(c *caller) {
	ctx, leave := context.WithCancel(context.Background())
	answer, problem := c.client.Do(c.request("GET", "/steps", nil).WithContext(ctx))
	must(problem)
	leave()
	_, problem = io.ReadAll(answer.Body)
	check(problem == context.Canceled, "%v", problem)
	_, data := c.do(c.request("POST", "/echo", bytes.NewReader([]byte("after"))))
	check(string(data) == "after", "%s", data)
}

func hints(c *caller) {
	answer, data := c.do(c.request("GET", "/hints", nil))
	check(answer.StatusCode == 200 && string(data) == "hinted", "%d %s", answer.StatusCode, data)
	check(fmt.Sprint(c.interim) == "[103 </a>; rel=preload 102 </a>; rel=preload]", "%v", c.interim)
}

func expect(c *caller) {
	for _, size := range []int{1, 300000} {
		c.told = false
		request := c.request("POST", "/echo", bytes.NewReader(content(size, 9)))
		request.Header.Set("Expect", "100-continue")
		_, data := c.do(request)
		check(c.told && bytes.Equal(data, content(size, 9)), "told to continue: %v; %d bytes", c.told, len(data))
	}
}

func refused(c *caller) {
	request := c.request("POST", "/refuse", bytes.NewReader(content(300000, 9)))
	request.Header.Set("Expect", "100-continue")
	answer, _ := c.do(request)
	check(answer.StatusCode == 413 && !c.told, "%d; told to continue: %v", answer.StatusCode, c.told)
	_, data := c.do(c.request("POST", "/echo", bytes.NewReader([]byte("after"))))
	check(string(data) == "after", "%s", data)
}

func main() {
	if os.Args[1] == "serve" {
		serve()
		return
	}
	what := map[string]func(*caller){"bodies": bodies, "trailers": trailers, "crowd": crowd, "steps": steps,
		"leaving": leaving, "hints": hints, "expect": expect, "refused": refused}
	what[os.Args[2]](newCaller(os.Args[3]))
}
