package codedeploy

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// pageSize is how many names a list operation answers at once.
const pageSize = 100

// page returns the part of a list that a token asks for, and the token of the
// next part, nil after the last.
func page[T any](list []T, token *string) ([]T, *string, error) {
	from := 0
	if token != nil {
		var err error
		if from, err = strconv.Atoi(*token); err != nil || from < 0 || from > len(list) {
			return nil, nil, &types.InvalidNextTokenException{Message: say("%q is not a token of this list", *token)}
		}
	}
	to := min(from+pageSize, len(list))
	if to == len(list) {
		return slices.Clone(list[from:to]), nil, nil
	}
	next := strconv.Itoa(to)
	return slices.Clone(list[from:to]), &next, nil
}

// newDeploymentID returns an id such as d-ABC123XYZ. The letters of crypto/rand's
// text are those of base32.
func newDeploymentID() string { return "d-" + rand.Text()[:9] }

// newID returns a random UUID.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

func now() *time.Time {
	at := time.Now().UTC().Truncate(time.Millisecond)
	return &at
}

// arn names a resource of the service ("application:web").
func (s *Service) arn(resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", SigningName, s.region, s.account, resource)
}
