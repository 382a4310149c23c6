package awssource

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// edit changes one file of a copy. apply gets the folder of the copy and the
// file's text; it fails when the text is not what the edit was written for.
type edit struct {
	file  string
	apply func(root string, text []byte) ([]byte, error)
}

func (e edit) run(root string) error {
	name := filepath.Join(root, filepath.FromSlash(e.file))
	text, err := os.ReadFile(name) // #nosec G304 -- a file of the copy
	if err != nil {
		return err
	}
	text, err = e.apply(root, text)
	if err != nil {
		return fmt.Errorf("%s: %w", e.file, err)
	}
	return os.WriteFile(name, text, 0o600)
}

const (
	servicePrefix = "github.com/hashicorp/terraform-provider-aws/internal/service/"
	clientPrefix  = "github.com/aws/aws-sdk-go-v2/service/"
)

// slimServices keeps the services in use in the provider's list of services.
func slimServices(_ string, text []byte) ([]byte, error) {
	src, err := parse(text)
	if err != nil {
		return nil, err
	}
	imported := src.keepImports(servicePrefix, func(service string) bool { return slices.Contains(services, service) })
	for _, service := range services {
		if !slices.Contains(imported, service) {
			return nil, fmt.Errorf("service %q is not in the upstream list; correct the list of services", service)
		}
	}
	listed := 0
	ast.Inspect(src.file, func(n ast.Node) bool {
		list, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, element := range list.Elts {
			service := packageOf(element)
			if slices.Contains(services, service) {
				listed++
			} else if service != "" {
				src.cut(element.Pos(), element.End()+1) // with its comma
			}
		}
		return false
	})
	if listed != len(services) {
		return nil, fmt.Errorf("list of service packages has %d of the %d services; the upstream file has another form now", listed, len(services))
	}
	return src.rest()
}

// slimClients keeps the methods that make API clients which the services in use
// are written for.
func slimClients(root string, text []byte) ([]byte, error) {
	src, err := parse(text)
	if err != nil {
		return nil, err
	}
	clients, err := clientsInUse(root)
	if err != nil {
		return nil, err
	}
	src.keepImports(clientPrefix, func(client string) bool { return slices.Contains(clients, client) })
	var made []string
	for _, decl := range src.file.Decls {
		method, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		client := ""
		if results := method.Type.Results; results != nil && len(results.List) == 1 {
			client = packageOf(results.List[0].Type)
		}
		switch {
		case client == "":
			return nil, fmt.Errorf("method %s does not return one client; the upstream file has another form now", method.Name.Name)
		case slices.Contains(clients, client):
			made = append(made, client)
		default:
			src.cut(method.Pos(), method.End())
		}
	}
	for _, client := range clients {
		if !slices.Contains(made, client) {
			return nil, fmt.Errorf("no method makes a client of %s", clientPrefix+client)
		}
	}
	return src.rest()
}

// clientsInUse reads, in the copy at root, which API clients the services import.
func clientsInUse(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "internal", "service", "*", "*.go"))
	if err != nil {
		return nil, err
	}
	var clients []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return nil, err
		}
		for _, spec := range file.Imports {
			client, ok := strings.CutPrefix(importPath(spec), clientPrefix)
			if ok && !strings.Contains(client, "/") { // types and the like lie deeper
				clients = append(clients, client)
			}
		}
	}
	if len(clients) == 0 {
		return nil, fmt.Errorf("no service in %s imports an API client", root)
	}
	slices.Sort(clients)
	return slices.Compact(clients), nil
}

// fastPolls lets the environment variable FastWaits take the settle times out of
// the wait for a state. What is waited for, and how long at most, stays.
func fastPolls(_ string, text []byte) ([]byte, error) {
	const start = "\tnotfoundTick := 0\n"
	return readEnvironment(text, start, fmt.Sprintf(`	if os.Getenv(%q) != "" {
		conf.Delay, conf.MinTimeout, conf.PollInterval = 0, 0, 20*time.Millisecond
	}

`, FastWaits)+start)
}

// fastReads does the same for the reading of a bucket's lifecycle rules, which
// sleeps 5 s before each of two looks.
func fastReads(_ string, text []byte) ([]byte, error) {
	const sleep = "\t\ttime.Sleep(lifecycleConfigurationExtraRetryDelay)\n"
	return readEnvironment(text, sleep, fmt.Sprintf("\t\tif os.Getenv(%q) == \"\" {\n\t%s\t\t}\n", FastWaits, sleep))
}

// quietEnd mends the end of a request's body. net/http looks once more whether
// a body has ended; when the answer has come meanwhile, the SDK has closed the
// body and says "EOF", which net/http takes for a failed write: it drops the
// connection and what it has not read of the answer. AWS is too far away for
// that to happen, an emulator on a busy machine is not.
func quietEnd(_ string, text []byte) ([]byte, error) {
	const closed = "\tif r.safeReadCloser.closed {\n\t\treturn 0, "
	return replaceOnce(text, closed+"io.EOF\n", closed+"nil\n")
}

// readEnvironment replaces old in a file that does not import os yet.
func readEnvironment(text []byte, old, replacement string) ([]byte, error) {
	text, err := replaceOnce(text, "\t\"log\"\n", "\t\"log\"\n\t\"os\"\n")
	if err != nil {
		return nil, err
	}
	return replaceOnce(text, old, replacement)
}

func replaceOnce(text []byte, old, replacement string) ([]byte, error) {
	if n := bytes.Count(text, []byte(old)); n != 1 {
		return nil, fmt.Errorf("%q occurs %d times, want once; the upstream file has another form now", old, n)
	}
	return bytes.Replace(text, []byte(old), []byte(replacement), 1), nil
}

// source is a Go file and the byte ranges that are to go.
type source struct {
	text []byte
	set  *token.FileSet
	file *ast.File
	cuts [][2]int
}

func parse(text []byte) (*source, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", text, parser.SkipObjectResolution)
	return &source{text: text, set: set, file: file}, err
}

func (s *source) cut(from, to token.Pos) {
	s.cuts = append(s.cuts, [2]int{s.set.Position(from).Offset, s.set.Position(to).Offset})
}

// keepImports cuts the imports below prefix that keep refuses, and returns the
// last path element of those that stay.
func (s *source) keepImports(prefix string, keep func(string) bool) []string {
	var kept []string
	for _, spec := range s.file.Imports {
		name, ok := strings.CutPrefix(importPath(spec), prefix)
		switch {
		case !ok:
		case keep(name):
			kept = append(kept, name)
		default:
			s.cut(spec.Pos(), spec.End())
		}
	}
	return kept
}

// rest is the formatted text without the cuts.
func (s *source) rest() ([]byte, error) {
	slices.SortFunc(s.cuts, func(a, b [2]int) int { return a[0] - b[0] })
	var rest []byte
	from := 0
	for _, cut := range s.cuts {
		rest = append(rest, s.text[from:cut[0]]...)
		from = cut[1]
	}
	return format.Source(append(rest, s.text[from:]...))
}

func importPath(spec *ast.ImportSpec) string {
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return path.Clean(name)
}

// packageOf is the package in *package.Type or package.Function(...), or empty.
func packageOf(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return packageOf(e.X)
	case *ast.CallExpr:
		return packageOf(e.Fun)
	case *ast.SelectorExpr:
		if name, ok := e.X.(*ast.Ident); ok {
			return name.Name
		}
	}
	return ""
}
