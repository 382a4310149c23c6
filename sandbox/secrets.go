package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

const passphraseFile = "passphrase"

// passphrase makes, once for a run folder, the passphrase that Pulumi's state is
// encrypted with. Pulumi reads it from the file: it never is in an environment
// or on a command line.
func (s *Sandbox) passphrase() (string, error) {
	text, err := os.ReadFile(s.path(passphraseFile))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	made := rand.Text()
	return made, writeFile(s.path(passphraseFile), []byte(made))
}

const saltFile = "salt"

// salt is what a stack's file names its passphrase with: "v1:", random bytes,
// and the word pulumi encrypted, by which Pulumi tells a wrong passphrase. Pulumi
// would make it itself, but into the file that the user edits.
func (s *Sandbox) salt(ctx context.Context) (string, error) {
	text, err := os.ReadFile(s.path(saltFile))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	encoded := base64.StdEncoding.EncodeToString(random)
	crypter, err := s.crypter("v1:" + encoded)
	if err != nil {
		return "", err
	}
	check, err := crypter.EncryptValue(ctx, "pulumi")
	if err != nil {
		return "", err
	}
	made := fmt.Sprintf("v1:%s:%s", encoded, check)
	return made, writeFile(s.path(saltFile), []byte(made))
}

// crypter is the encryption that a salt names. Deriving its key takes a quarter
// of a second.
func (s *Sandbox) crypter(salt string) (config.Crypter, error) {
	phrase, err := s.passphrase()
	if err != nil {
		return nil, err
	}
	fields := strings.Split(salt, ":")
	if len(fields) < 2 {
		return nil, fmt.Errorf("%s: want v1:<salt>:<check>", s.path(saltFile))
	}
	random, err := base64.StdEncoding.DecodeString(fields[1])
	return config.NewSymmetricCrypterFromPassphrase(phrase, random), err
}
