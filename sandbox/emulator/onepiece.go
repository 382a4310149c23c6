package emulator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Answers have to reach a client of AWS's Go SDK in one piece. Once such a client
// has the header it closes its request's body, which the connection's writer may
// not have finished with; smithy-go then tells net/http "EOF" where it should
// tell it nothing, net/http takes that for a failed write and closes the
// connection, and what it has not read yet is lost: "use of closed network
// connection". AWS is too far away for that to happen. On one machine, and a busy
// one, it does, about once in ten thousand calls.
//
// So the header is never sent ahead, and larger answers are compressed where the
// client asks for that, as net/http does by itself.
const (
	onePiece     = 3 << 10 // with its header, less than the 4 KiB that net/http reads at once
	maxDocuments = 1 << 20 // what is larger is no description of resources
)

// inOnePiece compresses an answer of moto that would take more than one read.
// Objects of S3 are left alone.
func inOnePiece(response *http.Response) error {
	request, size := response.Request, response.ContentLength
	if size < onePiece || size > maxDocuments || request.Header.Get("Accept-Encoding") != "gzip" ||
		response.Header.Get("Content-Encoding") != "" || callOf(request.Context()).protocol == s3XML {
		return nil
	}
	var body bytes.Buffer
	compressed := gzip.NewWriter(&body)
	_, err := io.Copy(compressed, response.Body)
	if err := errors.Join(err, compressed.Close(), response.Body.Close()); err != nil {
		return err
	}
	response.Body = io.NopCloser(&body)
	response.ContentLength = int64(body.Len())
	response.Header.Set("Content-Length", strconv.Itoa(body.Len()))
	response.Header.Set("Content-Encoding", "gzip")
	response.Header.Del("X-Amz-Crc32") // of the answer as it was
	return nil
}
