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
	text    string
	printed map[string][][]string // lines, by command, each time that it has it
}

// readPage reads the blocks of no language, in which a line that begins with $ is a
// command.
func readPage(t *testing.T, root string) *page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, pageFile))
	require.NoError(t, err)
	p := &page{text: string(text), printed: map[string][][]string{}}
	fence, command := "", ""
	for line := range strings.Lines(p.text) {
		line = strings.TrimRight(line, "\n")
		told, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```") && fence == "":
			fence, command = line, ""
		case strings.HasPrefix(line, "```"):
			fence = ""
		case fence != "```":
		case isCommand:
			command = strings.TrimSpace(told)
			p.printed[command] = append(p.printed[command], nil)
		default:
			require.NotEmpty(t, command, "%s: a line before the first command of its block: %s", pageFile, line)
			last := len(p.printed[command]) - 1
			p.printed[command][last] = append(p.printed[command][last], line)
		}
	}
	return p
}

// compare holds the page's lines of a command against what it has printed: each
// has to be there, in order; … is anything. Of a command that runs more often
// than the page has it, the first times count.
func (p *page) compare(t *testing.T, command, out string) {
	t.Helper()
	if len(p.printed[command]) == 0 {
		return
	}
	lines := p.printed[command][0]
	p.printed[command] = p.printed[command][1:]
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

// told checks that the page tells to run what something here stands in for.
func (p *page) told(t *testing.T, command string) {
	t.Helper()
	assert.Contains(t, p.text, "\n"+command, pageFile)
}

// finished tells which commands of the page nobody ran.
func (p *page) finished(t *testing.T) {
	t.Helper()
	assert.Greater(t, len(p.printed), 10, pageFile)
	for command, left := range p.printed {
		assert.Empty(t, left, "%s has a command that this test did not run: %s", pageFile, command)
	}
}
