package github

import (
	"fmt"
	"strings"
	"unicode"
)

// What a preview says may come from a fork: names and values are shown as they
// are, and never as markdown, HTML, a link or a mention of somebody.

const longestName = 200 // characters of a name that are shown

// code shows a text in a line or a cell. Entities are no syntax to markdown
// (CommonMark, "Entity and numeric character references").
func code(text string) string {
	var out strings.Builder
	for _, r := range clip(plain(text), longestName) {
		if r == ' ' || r == '-' || r == '/' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r > unicode.MaxASCII {
			out.WriteRune(r)
			continue
		}
		fmt.Fprintf(&out, "&#%d;", r)
		if r == '@' {
			out.WriteRune(zeroWidth)
		}
	}
	return "<code>" + out.String() + "</code>"
}

// codes shows a list, as long as it stays short.
func codes(list []string) string {
	const shown = 5
	var parts []string
	for _, one := range list[:min(shown, len(list))] {
		parts = append(parts, code(one))
	}
	text := strings.Join(parts, ", ")
	if len(list) > shown {
		text += fmt.Sprintf(" and %d more", len(list)-shown)
	}
	return text
}

// zeroWidth after an @ keeps it from being a mention, wherever it lands.
const zeroWidth = '\u200b'

// pre is lines in a block, which markdown leaves alone up to its end tag.
func pre(lines []string) string {
	var out strings.Builder
	out.WriteString("<pre>\n")
	for _, line := range lines {
		out.WriteString(block(line))
		out.WriteByte('\n')
	}
	out.WriteString("</pre>")
	return out.String()
}

// block is a line as it stands in pre.
func block(line string) string {
	return inBlock.Replace(plain(line))
}

var inBlock = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;"+string(zeroWidth))

// plain takes away what does not show, or shows other text than there is: control
// characters, line ends, and those that turn the direction of writing.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·"))
}

// clip shortens to a number of characters.
func clip(text string, longest int) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
