package awssource

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuietEnd(t *testing.T) {
	const before = "func a() {\n\tif r.safeReadCloser.closed {\n\t\treturn 0, io.EOF\n\t}\n}\nfunc b() {\n\tif r.closed {\n\t\treturn 0, io.EOF\n\t}\n}\n"
	const after = "func a() {\n\tif r.safeReadCloser.closed {\n\t\treturn 0, nil\n\t}\n}\nfunc b() {\n\tif r.closed {\n\t\treturn 0, io.EOF\n\t}\n}\n"
	text, err := quietEnd("", []byte(before))
	require.NoError(t, err)
	assert.Equal(t, after, string(text))

	_, err = quietEnd("", []byte("package io\n"))
	assert.ErrorContains(t, err, "the upstream file has another form now")
}
