package stacks

import "bluegreen/infra/parameters"

// Variables are the environment variables that the stack stores for the
// application. Errors: those of the registry's Resolve.
func (s Settings) Variables(registry parameters.Registry) ([]parameters.Parameter, error) {
	return registry.Resolve(s.provided(), s.Environment)
}

// InPlainText names the secret variables whose values stand readable in a stack's
// file. Errors: the file cannot be read.
func InPlainText(stackFile string, registry parameters.Registry) ([]string, error) {
	return inPlainText(stackFile, registry)
}
