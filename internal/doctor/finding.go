package doctor

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

func ok(format string, arguments ...any) Finding {
	return Finding{Status: OK, Found: fmt.Sprintf(format, arguments...)}
}

// failed takes what is wrong, and what to do.
func failed(found, advice string) Finding {
	return Finding{Status: Failed, Found: found, Advice: advice}
}

func warning(found, advice string) Finding {
	return Finding{Status: Warning, Found: found, Advice: advice}
}

func notChecked(why error) Finding { return Finding{Status: NotChecked, Found: oneLine(why)} }

// fault is for an error where something was to be seen. A reason not to look,
// such as an emulator that does not know the call, is no failure.
func fault(err error, advice string) Finding {
	if _, ok := errors.AsType[*unanswered](err); ok {
		return notChecked(err)
	}
	return failed(oneLine(err), advice)
}

// oneLine is an error in one line.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Report is the diagnosis for people, a line for each check.
func (d Diagnosis) Report(out io.Writer) {
	width := 0
	for _, found := range d.Findings {
		width = max(width, utf8.RuneCountInString(found.Check))
	}
	for _, found := range d.Findings {
		fmt.Fprintf(out, "%-11s  %-*s  %s\n", found.Status, width, found.Check, found.text())
	}
	fmt.Fprintf(out, "Stack %s: %d checks: %d ok, %d failed, %d warnings, %d not checked\n", d.Stack, len(d.Findings),
		d.Counts[OK], d.Counts[Failed], d.Counts[Warning], d.Counts[NotChecked])
}

// text is what was found and what to do about it.
func (f Finding) text() string {
	if f.Advice == "" {
		return f.Found
	}
	return f.Found + "; " + f.Advice
}
