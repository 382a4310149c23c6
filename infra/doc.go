// Package infra holds the components of the platform, one folder each.
//
// The contract of a component:
//
//   - Spec is plain data that an operator chooses. It has JSON tags, a
//     function Default that returns the safe values, and a method Validate
//     that reports every mistake at once, each with its path.
//   - Args is a Spec and what other components supply, as Pulumi inputs.
//   - New validates, registers the component, declares its resources as its
//     children and registers its outputs. The first argument after the context
//     is the prefix of every name inside: "<project>-<environment>".
//   - The struct that New returns exports outputs only.
//
// Components never import each other; package stacks wires them. What they have
// in common stands in packages that are no components: naming, policy, spelling
// and window, which are pure, and firewall.
//
// Resources are named <prefix>-<role>[-<stable key>], where role is the name
// people know the thing by ("alb-01", "reverse-proxy"). Pulumi appends random
// characters to the physical name, so that a replacement can stand beside what
// it replaces; the Name tag is the plain name.
package infra
