package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const checkoutRoot = "../.."

// pages are the texts for people, by their path in the checkout.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(checkoutRoot, "docs", "*.md"))
	require.NoError(t, err)
	all := map[string]string{}
	for _, file := range append(found, filepath.Join(checkoutRoot, "README.md")) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name, err := filepath.Rel(checkoutRoot, file)
		require.NoError(t, err)
		all[filepath.ToSlash(name)] = string(text)
	}
	require.Greater(t, len(all), 5)
	return all
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	code     = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	command  = regexp.MustCompile(`(?:bin/)?\bbluegreen ((?:sandbox|release|cost|github|doctor|version)\b[^\n` + "`" + `"()|;:…]*)`)
	alone    = regexp.MustCompile("^`(?:… )?--([a-z-]+)")
	target   = regexp.MustCompile(`\bmake ([a-z-]+)`)
	filePath = regexp.MustCompile("`((?:app|scripts|docs|infra|stacks|instance|sandbox|internal|cmd|provider)/[A-Za-z0-9_./-]+)`")
)

// anchor is what a heading is linked as.
func anchor(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	return text
}

func TestLinksOfPages(t *testing.T) {
	all := pages(t)
	linked := map[string]bool{"README.md": true}
	for page, text := range all {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(text, "code"), -1) {
			to, part, _ := strings.Cut(found[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			path := page
			if to != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(page), to))
			}
			_, err := os.Stat(filepath.Join(checkoutRoot, path))
			assert.NoError(t, err, "%s links to %s", page, found[1])
			if path != page {
				linked[path] = true
			}
			if part == "" {
				continue
			}
			var anchors []string
			for _, title := range heading.FindAllStringSubmatch(all[path], -1) {
				anchors = append(anchors, anchor(title[1]))
			}
			assert.Contains(t, anchors, part, "%s links to %s", page, found[1])
		}
	}
	for page := range all {
		assert.True(t, linked[page], "no page links to %s", page)
	}
}

// What a page tells to run is there: the command, its flags, the target.
func TestCommandsOfPages(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(checkoutRoot, "Makefile"))
	require.NoError(t, err)
	checked := 0
	for page, text := range pages(t) {
		for _, span := range code.FindAllString(text, -1) {
			for _, found := range command.FindAllStringSubmatch(span, -1) {
				checked++
				checkCommand(t, page, found[1])
			}
			for _, found := range target.FindAllStringSubmatch(span, -1) {
				assert.Contains(t, string(makefile), "\n"+found[1]+":", "%s: make %s", page, found[1])
			}
		}
	}
	assert.Greater(t, checked, 20)
}

// A flag that stands alone is one of ours.
func TestFlagsOfPages(t *testing.T) {
	known := map[string]bool{}
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		for _, sub := range c.Commands() {
			collect(sub)
		}
	}
	collect(newRoot())
	for page, text := range pages(t) {
		for _, span := range code.FindAllString(text, -1) {
			if found := alone.FindStringSubmatch(span); found != nil {
				assert.True(t, known[found[1]], "%s: %s", page, span)
			}
		}
	}
}

func checkCommand(t *testing.T, page, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	found, rest, err := newRoot().Find(strings.Fields(line))
	if !assert.NoError(t, err, "%s: bluegreen %s", page, line) {
		return
	}
	for _, word := range rest {
		if name, isFlag := strings.CutPrefix(word, "--"); isFlag {
			name, _, _ = strings.Cut(strings.TrimRight(name, ".,"), "=")
			known := found.Flags().Lookup(name) != nil || found.InheritedFlags().Lookup(name) != nil
			assert.True(t, known, "%s: bluegreen %s: no flag --%s", page, line, name)
		}
	}
}

func TestFilesOfPages(t *testing.T) {
	// What scripts/build and a framework of one's own make.
	made := []string{"app/hello", "app/main.go", "app/venv", "app/node_modules"}
	for page, text := range pages(t) {
		for _, found := range filePath.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(made, found[1]) {
				_, err := os.Stat(filepath.Join(checkoutRoot, found[1]))
				assert.NoError(t, err, page)
			}
		}
	}
}
