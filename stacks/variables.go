package stacks

import "bluegreen/infra/parameters"

// Variables are the environment variables that the stack stores for the
// application. Errors: those of the registry's Resolve.
func (s Settings) Variables(registry parameters.Registry) ([]parameters.Parameter, error) {
	return registry.Resolve(s.provided(), s.Environment)
}
