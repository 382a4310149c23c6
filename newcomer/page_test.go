package newcomer

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pageFile is what a newcomer reads.
const pageFile = "docs/first-hour.md"

// page is what the page tells to run, and what it says that this prints.
type page struct {
	printed map[string][]string // lines, by command
	ran     map[string]bool
}

var block = regexp.MustCompile("(?s)```\n(.*?)```")

// readPage reads the blocks in which lines begin with $ and a command.
func readPage(t *testing.T, root string) *page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, pageFile))
	require.NoError(t, err)
	p := &page{printed: map[string][]string{}, ran: map[string]bool{}}
	for _, found := range block.FindAllStringSubmatch(string(text), -1) {
		command := ""
		for line := range strings.Lines(found[1]) {
			line = strings.TrimRight(line, "\n")
			if told, ok := strings.CutPrefix(line, "$ "); ok {
				command, _, _ = strings.Cut(told, "  #")
				command = strings.TrimSpace(command)
				p.printed[command] = nil
				continue
			}
			require.NotEmpty(t, command, "%s: a line before the first command of its block: %s", pageFile, line)
			p.printed[command] = append(p.printed[command], line)
		}
	}
	return p
}

// compare holds the page's lines of a command against what it has printed: each
// has to be there, in order; … is anything.
func (p *page) compare(t *testing.T, command, out string) {
	t.Helper()
	lines, found := p.printed[command]
	if !found {
		return
	}
	p.ran[command] = true
	rest := strings.Split(out, "\n")
	for _, line := range lines {
		if strings.TrimSpace(line) == "…" || line == "" {
			continue
		}
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimRight(line, " ")), "…", ".*") + "$")
		at := 0
		for at < len(rest) && !pattern.MatchString(strings.TrimRight(rest[at], " \r")) {
			at++
		}
		if !assert.Less(t, at, len(rest), "%s: %s does not print, where the page has it:\n%s\nbut:\n%s", pageFile, command, line, out) {
			return
		}
		rest = rest[at+1:]
	}
}

// did notes a command that something here stands in for.
func (p *page) did(command string) { p.ran[command] = true }

// finished tells which commands of the page nobody ran.
func (p *page) finished(t *testing.T) {
	t.Helper()
	require.Greater(t, len(p.printed), 10, pageFile)
	for command := range p.printed {
		assert.True(t, p.ran[command], "%s has a command that this test did not run: %s", pageFile, command)
	}
}
