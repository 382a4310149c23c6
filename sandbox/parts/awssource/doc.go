// Package awssource prepares the upstream Go sources that the sandbox's AWS
// plugin (sandbox/awsplugin) is built from.
//
// Two upstream modules need changes that a replace directive to another version
// cannot make: the Terraform AWS provider is slimmed to the services in use, and
// the Terraform plugin SDK learns to poll without the settle times that real AWS
// needs. Neither is committed. Both are downloaded through the Go module proxy,
// checked against the hashes pinned here, copied and edited.
package awssource

import (
	"path/filepath"
)

// FastWaits names the environment variable that, when it is not empty, makes the
// built plugin poll every 20 ms without initial delay. Only an emulator answers
// fast enough for that; against AWS it would exhaust the API's rate limits.
const FastWaits = "BLUEGREEN_SANDBOX_FAST_WAITS"

// Version is the version of the pulumi-aws SDK whose type tokens and property
// names the plugin has, and which it reports to the engine.
const Version = "6.83.2"

// Destination is where Materialise has to put the sources, in the checkout whose
// sandbox/awsplugin/go.mod is built: its replace directives name this folder.
func Destination(checkout string) string {
	return filepath.Join(checkout, ".sandbox", "parts", "awssource")
}

// BuildCommand is the command that builds the plugin into binary; it has to run
// in folder sandbox/awsplugin of the checkout, after Materialise. Optimisation
// is off because the build is then twice as fast and needs half the memory (2 GB
// instead of 4 GB), while the plugin's time goes into waiting for answers.
//
// By hand, in sandbox/awsplugin:
//
//	go build -gcflags='all=-N -l' -ldflags='-s -w' -o pulumi-resource-aws .
func BuildCommand(binary string) []string {
	return []string{"go", "build", "-gcflags=all=-N -l", "-ldflags=-s -w", "-o", binary, "."}
}
