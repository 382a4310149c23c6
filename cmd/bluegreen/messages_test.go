package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"bluegreen/internal/doctor"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// troubles is the page that explains what the product says. A quoted message has
// … in place of what varies.
const troubles = "docs/troubleshooting.md"

// rooms are the folders whose packages speak to people.
var rooms = []string{"cmd", "infra", "internal", "provider", "sandbox", "stacks"}

// silent are packages whose errors reach nobody as they are: of tests, of
// generated code, and of the emulated AWS's own protocol, which answers in AWS's
// words.
var silent = []string{"internal/github/githubtest", "internal/workflows", "infra/infratest", "sandbox/parts/partstest", "sandbox/awsplugin", "sandbox/randomplugin", "sandbox/bench", "sandbox/codedeploy"}

// makers are the functions whose first text is what people read.
var makers = map[string]int{
	"errors.New": 0, "fmt.Errorf": 0, "check": 1, "wrong": 0, "report": 1, "failed": 0, "warning": 0,
}

var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*\d*(\.\d+)?[a-zA-Z]|%%`)

// messages are what the packages can say, by package.
func messages(t *testing.T) map[string][]string {
	t.Helper()
	said := map[string][]string{}
	for _, room := range rooms {
		require.NoError(t, filepath.WalkDir(filepath.Join(checkoutRoot, room), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return err
			}
			folder, err := filepath.Rel(checkoutRoot, filepath.Dir(file))
			require.NoError(t, err)
			folder = filepath.ToSlash(folder)
			for _, quiet := range silent {
				if folder == quiet || strings.HasPrefix(folder, quiet+"/") {
					return nil
				}
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			require.NoError(t, err)
			ast.Inspect(tree, func(node ast.Node) bool {
				if call, ok := node.(*ast.CallExpr); ok {
					if at, known := makers[named(call.Fun)]; known && len(call.Args) > at {
						if text := literal(call.Args[at]); text != "" {
							said[folder] = append(said[folder], text)
						}
					}
				}
				return true
			})
			return nil
		}))
	}
	return said
}

func named(fun ast.Expr) string {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		if of, ok := fun.X.(*ast.Ident); ok {
			return of.Name + "." + fun.Sel.Name
		}
	}
	return ""
}

// literal is a text with … for what is not known here.
func literal(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ := strconv.Unquote(e.Value)
			return verb.ReplaceAllString(text, "…")
		}
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	case *ast.CallExpr:
		if named(e.Fun) == "fmt.Sprintf" && len(e.Args) > 0 {
			return literal(e.Args[0])
		}
	}
	return "…"
}

// What the hooks and their helpers say on an instance. A substitution may have
// quotes inside.
var (
	shellMessage  = regexp.MustCompile(`\b(?:fail|warn) ('[^']*'|"(?:\$\((?:[^()]|\([^()]*\))*\)|\\.|[^"\\])*")`)
	expansion     = regexp.MustCompile(`\$\(\([^)]*\)\)|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|\$[A-Za-z_0-9]+`)
	pythonMessage = regexp.MustCompile(`(?:sys\.exit|Failed)\(\s*f?"([^"]*)"`)
	formatted     = regexp.MustCompile(`\{[^}]*\}`)
)

// scriptMessages are what scripts/ can say.
func scriptMessages(t *testing.T) (said []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(checkoutRoot, "scripts", "*"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil { // a folder
			continue
		}
		if filepath.Ext(file) == ".py" {
			for _, match := range pythonMessage.FindAllStringSubmatch(string(text), -1) {
				said = append(said, formatted.ReplaceAllString(match[1], "…"))
			}
			continue
		}
		for _, match := range shellMessage.FindAllStringSubmatch(string(text), -1) {
			said = append(said, expansion.ReplaceAllString(match[1][1:len(match[1])-1], "…"))
		}
	}
	require.Greater(t, len(said), 30)
	return said
}

const (
	// ownWords is how many letters a message has beside what varies, below which it
	// only passes on what another has said.
	ownWords = 20
	// enough is how many a quotation needs to be of one message and not of any.
	enough = 12
)

func letters(text string) (count int) {
	for _, r := range text {
		if unicode.IsLetter(r) {
			count++
		}
	}
	return count
}

// quotes tells whether a quotation is of a message: its parts are in it, in order.
func quotes(quotation, message string) bool {
	for part := range strings.SplitSeq(quotation, "…") {
		_, rest, found := strings.Cut(message, part)
		if !found {
			return false
		}
		message = rest
	}
	return true
}

// tableCells are the first cells of the page's tables, by the heading of the column.
func tableCells(page, column string) (cells [][2]string) {
	inside := false
	for line := range strings.Lines(page) {
		fields := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		switch {
		case len(fields) < 3:
			inside = false
		case strings.TrimSpace(fields[1]) == column:
			inside = true
		case inside && !strings.HasPrefix(strings.TrimSpace(fields[1]), "---"):
			cells = append(cells, [2]string{strings.ReplaceAll(strings.TrimSpace(fields[1]), "\x00", "|"), strings.ReplaceAll(line, "\x00", "|")})
		}
	}
	return cells
}

var span = regexp.MustCompile("`([^`]+)`")

func quoted(cells [][2]string) (all []string) {
	for _, cell := range cells {
		for _, one := range span.FindAllStringSubmatch(cell[0], -1) {
			all = append(all, one[1])
		}
	}
	return all
}

// explained are the packages of which the page quotes every message: an operator
// meets them when something is wrong at AWS or on an instance.
var explained = []string{"internal/release", "internal/once", "internal/stack", "provider"}

func TestThePageKnowsEveryMessage(t *testing.T) {
	page := pages(t)[troubles]
	require.NotEmpty(t, page)
	said, scripts := messages(t), scriptMessages(t)
	onPage := quoted(tableCells(page, "message"))
	require.Greater(t, len(onPage), 100)

	families := map[string][]string{}
	for _, row := range tableCells(page, "room") {
		folder := strings.Trim(row[0], "`")
		families[folder] = span.FindAllString(row[1], -1)
		assert.Contains(t, said, folder, "the page has a row for a package that says nothing: %s", folder)
	}
	for folder, list := range said {
		if !slices.Contains(explained, folder) {
			example := slices.ContainsFunc(families[folder], func(text string) bool {
				text = strings.Trim(text, "`")
				return letters(text) >= enough && slices.ContainsFunc(list, func(message string) bool { return quotes(text, message) })
			})
			assert.True(t, example, "%s has no row in the page's table of rooms that quotes one of its messages", folder)
			continue
		}
		for _, message := range list {
			covered := slices.ContainsFunc(onPage, func(quotation string) bool {
				return letters(quotation) >= enough && quotes(quotation, message)
			})
			assert.True(t, covered || letters(message) < ownWords, "%s: the page does not explain: %s", folder, message)
		}
	}
	for _, message := range scripts {
		covered := slices.ContainsFunc(onPage, func(quotation string) bool { return quotes(quotation, message) && len(quotation) > 8 })
		assert.True(t, covered || len(strings.Trim(message, "…: ")) == 0, "scripts: the page does not explain: %s", message)
	}
}

func TestThePageQuotesWhatIsSaid(t *testing.T) {
	var everything []string
	for _, list := range messages(t) {
		everything = append(everything, list...)
	}
	everything = append(everything, scriptMessages(t)...)
	for _, quotation := range quoted(tableCells(pages(t)[troubles], "message")) {
		found := slices.ContainsFunc(everything, func(message string) bool { return quotes(quotation, message) })
		assert.True(t, found, "nothing says: %s", quotation)
	}
}

// Every line of the doctor has a row, and every row is one of its lines.
func TestThePageExplainsTheDoctor(t *testing.T) {
	t.Setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "")
	page := pages(t)[troubles]
	out, _, code := invoke(t, ".", "doctor", "--stack", "prod", "--offline", "--json")
	require.Zero(t, code)
	var found doctor.Diagnosis
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	var checks []string
	for _, one := range found.Findings {
		checks = append(checks, one.Check)
	}
	assert.ElementsMatch(t, checks, quoted(tableCells(page, "line")))
}
