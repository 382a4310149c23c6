package sandbox

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// leaking are variables of a user's shell that would take the AWS CLI, boto3 or
// Pulumi somewhere else than the sandbox.
var leaking = []string{
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
	"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG",
}

// Environment is the shell code, for sh, bash and zsh, that makes a shell work
// on the running sandbox: eval "$(bluegreen sandbox env)". The Pulumi CLI then
// reads the run folder's copy of the stack's configuration, so that it writes
// nothing into the checkout; Environment brings that copy up to date.
//
// Errors: ErrNotRunning; a stack's file that cannot be read.
func (s *Sandbox) Environment(ctx context.Context) (string, error) {
	record, now, err := s.lookup()
	switch {
	case err != nil:
		return "", err
	case now == gone:
		return "", errGone(record)
	case now != serving:
		return "", ErrNotRunning
	}
	if err := s.copyConfiguration(ctx, s.file); err != nil {
		return "", err
	}
	set := s.variables(record)
	set["PULUMI_STACK"] = s.Stack
	set["PULUMI_OPTION_CONFIG_FILE"] = s.copied()
	set["PATH"] = firstOn(os.Getenv("PATH"), filepath.Dir(s.path(cliLink)))
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		set[name] = withLoopback(os.Getenv(name))
	}
	// The endpoint of one service wins over the endpoint of all.
	unset := slices.Clone(leaking)
	for _, entry := range s.environment {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_ENDPOINT_URL_") {
			unset = append(unset, name)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "unset %s\n", strings.Join(unset, " "))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&text, "export %s=%s\n", name, quote(set[name]))
	}
	return text.String(), nil
}

// quote makes one word of a value for a POSIX shell.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// firstOn puts a folder first on a PATH, once.
func firstOn(path, folder string) string {
	rest := slices.DeleteFunc(filepath.SplitList(path), func(other string) bool { return other == folder })
	return strings.Join(append([]string{folder}, rest...), string(filepath.ListSeparator))
}

// withLoopback adds the loopback addresses to a list of hosts without a proxy.
func withLoopback(hosts string) string {
	list := strings.FieldsFunc(hosts, func(r rune) bool { return r == ',' || r == ' ' })
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if !slices.Contains(list, host) {
			list = append(list, host)
		}
	}
	return strings.Join(list, ",")
}
