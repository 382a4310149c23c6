package main

import (
	"context"
	"fmt"
)

// size is a stack of a certain number of resources: a small platform, and
// variables on top.
type size struct {
	name      string
	config    string
	variables int
}

const base = `config:
  pulumi:disable-default-providers: [aws]
  bluegreen:project: bench
  bluegreen:account: "123456789012"
  bluegreen:region: us-east-1
  bluegreen:storage: {protect: false}
`

const small = base + `  bluegreen:network: {zones: [a, b]}
  bluegreen:edge: {domain: example.com, www: false, protect: false}
  bluegreen:access: {ci: none, customerManagedKey: false}
  bluegreen:database: {enabled: false}
  bluegreen:environment: {DATABASE_URL: "postgresql://elsewhere/site"}
`

const large = base + `  bluegreen:network: {zones: [a, b, c, d, e, f], ipv6: true}
  bluegreen:edge: {domain: example.com, names: [a.example.com, b.example.com, c.example.com], protect: false}
  bluegreen:access: {github: {repository: example/website}, protect: false}
  bluegreen:database: {protect: false}
  bluegreen:cache: {enabled: true, protect: false}
`

// sizes measures the commands of the sandbox on growing stacks.
func sizes(ctx context.Context, b *bench) error {
	for _, z := range []size{{"small", small, 0}, {"medium", large, 50}, {"large", large, 350}} {
		if err := b.with(ctx, z, commands); err != nil {
			return err
		}
	}
	return nil
}

// commands measures what people do without a release.
func commands(ctx context.Context, s *stack) error {
	preview, err := s.preview(ctx)
	if err != nil {
		return err
	}
	s.row("zero-change preview", preview, s.each(preview))
	again, err := s.measure(s.command(ctx, "up"), "zero-change up")
	if err != nil {
		return err
	}
	s.row("zero-change up", again, s.each(again))
	return s.destroyed(ctx, "destroy")
}

func (s *stack) each(used usage) string {
	return fmt.Sprintf("%.1f ms each", 1000*used.wall.Seconds()/float64(s.resources))
}
