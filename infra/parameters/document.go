package parameters

import (
	"fmt"
	"slices"
	"strings"
)

// Document writes the registry as a page of Markdown.
func Document(registry Registry) string {
	var page strings.Builder
	page.WriteString(introduction)
	table(&page, registry, section{
		title: "What the operator sets",
		text: "A required variable without a default must be set before the first preview passes. " +
			"A default is stored when nothing is set.",
		head:  "default",
		has:   func(v Variable) bool { return v.Config },
		value: func(v Variable) string { return code(v.Default) },
	})
	table(&page, registry, section{
		title: "What the platform fills in",
		text: "A value from the stack's configuration takes the place of one that is made or generated: " +
			"for a database of your own, say, or the secret key of a site that moves here.",
		head:  "value",
		has:   func(v Variable) bool { return v.Constant != "" || v.Output != "" || v.Generated.Length > 0 },
		value: filledIn,
	})
	table(&page, registry, section{
		title: "What is never in Parameter Store",
		text:  "These are needed before, or outside, the processes that read Parameter Store.",
		head:  "default | who sets it",
		has:   func(v Variable) bool { return v.Elsewhere != "" },
		value: func(v Variable) string { return code(v.Default) + " | " + cell(v.Elsewhere) },
	})
	page.WriteString("\n## Who reads what\n\n")
	for _, reader := range Readers {
		var names []string
		for _, v := range registry {
			if slices.Contains(v.Readers, reader) {
				names = append(names, code(v.Name))
			}
		}
		slices.Sort(names)
		fmt.Fprintf(&page, "- **%s** (%s): %s\n", reader, tasks[reader], orNone(names))
	}
	return page.String()
}

const introduction = `# Environment variables

Every variable of the application, written from ` + "`environment.yaml`" + ` by ` + "`make golden`" + `.

On AWS a variable is the parameter ` + "`/<project>/<environment>/NAME`" + ` in Parameter Store: a SecureString if it is secret, a String if not.
The web, worker and beat processes read it from there at each start. The pipeline and a developer's machine set their own.
A variable that is not required and has no value has no parameter, because Parameter Store takes no empty values.

Set a value with ` + "`pulumi config set --path environment.NAME VALUE`" + `, a secret with ` + "`pulumi config set --secret --path environment.NAME`" + `
(Pulumi asks for the value, which then stands nowhere in clear text), and run ` + "`pulumi up`" + `.
A secret that stands in the stack's file in plain text is used, with a warning.
A new variable gets an entry in ` + "`environment.yaml`" + ` first: a name that is not there is an error.
`

var tasks = map[Reader]string{
	Web:      "serves requests",
	Worker:   "does Celery's tasks",
	Beat:     "starts Celery's periodic tasks",
	Pipeline: "tests and releases",
	Local:    "a developer's machine",
}

// section is one table: the variables that has picks, with one column of
// their own between the common ones.
type section struct {
	title, text, head string
	has               func(Variable) bool
	value             func(Variable) string
}

func table(page *strings.Builder, registry Registry, s section) {
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n", s.title, s.text)
	head := "| variable | what it is for | read by | required | secret | " + s.head + " |"
	fmt.Fprintf(page, "%s\n%s|\n", head, strings.Repeat("| --- ", strings.Count(head, "|")-1))
	for _, v := range registry {
		if s.has(v) {
			fmt.Fprintf(page, "| %s | %s | %s | %s | %s | %s |\n",
				code(v.Name), cell(v.Description), readers(v), yes(v.Required), yes(v.Secret), s.value(v))
		}
	}
}

func filledIn(v Variable) string {
	switch {
	case v.Constant != "":
		return "always " + code(v.Constant)
	case v.Generated.Form == Path:
		return fmt.Sprintf("generated: %d letters and digits and a slash", v.Generated.Length)
	case v.Generated.Form == Token:
		return fmt.Sprintf("generated: %d letters and digits", v.Generated.Length)
	default:
		return outputs[v.Output]
	}
}

func readers(v Variable) string {
	var names []string
	for _, reader := range Readers {
		if slices.Contains(v.Readers, reader) {
			names = append(names, string(reader))
		}
	}
	return strings.Join(names, ", ")
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// cell fits text into a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}
