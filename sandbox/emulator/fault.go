package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"net/http"

	smithycbor "github.com/aws/smithy-go/encoding/cbor"
)

// fault is an error as AWS answers one. Its status is in the 400s unless it goes
// away by itself: a client tries again on a 500, the Terraform provider up to 25
// times, and an error that will never go away would look like a hang.
type fault struct {
	code    string // as in AWS's API references ("InvalidParameterValue")
	message string
	status  int // of HTTP; 0 is 400
}

// emulatorFault is the code of errors that AWS would not give: the emulator is
// at fault, not the request.
const emulatorFault = "EmulatorFault"

type xmlError struct {
	Type    string `xml:",omitempty"`
	Code    string
	Message string
}

// write answers a call with the fault, in the protocol of the call.
func (f fault) write(w http.ResponseWriter, c call) {
	contentType, body := f.encode(c.protocol)
	header := w.Header()
	header.Set("Content-Type", contentType)
	switch c.protocol {
	case restJSON, awsJSON:
		header.Set("X-Amzn-ErrorType", f.code)
	case cbor:
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
	case restXML, s3XML, query, ec2Query:
	}
	w.WriteHeader(cmp.Or(f.status, http.StatusBadRequest))
	_, _ = w.Write(body) // the client has gone: nobody to tell
}

func (f fault) encode(p protocol) (contentType string, body []byte) {
	switch p {
	case restXML, query:
		return "text/xml", encodeXML("ErrorResponse", struct{ Error xmlError }{xmlError{"Sender", f.code, f.message}})
	case s3XML:
		return "application/xml", encodeXML("Error", xmlError{Code: f.code, Message: f.message})
	case ec2Query:
		type list struct{ Error xmlError }
		return "text/xml", encodeXML("Response", struct{ Errors list }{list{xmlError{Code: f.code, Message: f.message}}})
	case cbor:
		return "application/cbor", smithycbor.Encode(smithycbor.Map{
			"__type": smithycbor.String(f.code), "message": smithycbor.String(f.message),
		})
	case restJSON, awsJSON:
	}
	body, _ = json.Marshal(map[string]string{"__type": f.code, "message": f.message}) // strings always encode
	return "application/x-amz-json-1.1", body
}

// encodeXML writes strings, which always encode, into memory, which never fails.
func encodeXML(root string, content any) []byte {
	var document bytes.Buffer
	document.WriteString(xml.Header)
	_ = xml.NewEncoder(&document).EncodeElement(content, xml.StartElement{Name: xml.Name{Local: root}})
	return document.Bytes()
}
