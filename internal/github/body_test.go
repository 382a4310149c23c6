package github

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"bluegreen/internal/preview"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const rds = "aws:rds/instance:Instance"

// step is one of a digest of stack prod.
func step(op preview.Op, kind, name string, before, after map[string]any, diff map[string]string) preview.Step {
	s := preview.Step{Op: op, URN: urn.URN("urn:pulumi:prod::bluegreen::" + kind + "::" + name), DetailedDiff: map[string]preview.PropertyDiff{}}
	if before != nil {
		s.OldState = &preview.State{URN: s.URN, Custom: true, Type: kind, Inputs: before}
	}
	if after != nil {
		s.NewState = &preview.State{URN: s.URN, Custom: true, Type: kind, Inputs: after}
	}
	for path, of := range diff {
		s.DetailedDiff[path] = preview.PropertyDiff{Kind: of, InputDiff: true}
		if strings.HasSuffix(of, "-replace") {
			s.ReplaceReasons = append(s.ReplaceReasons, path)
		}
	}
	return s
}

func report(steps ...preview.Step) Report {
	return Report{Stack: "prod", Digest: preview.Digest{Steps: steps, ChangeSummary: map[preview.Op]int{}}}
}

func body(t *testing.T, r Report) string {
	t.Helper()
	text, _ := r.Body()
	assert.True(t, strings.HasPrefix(text, "<!-- bluegreen:preview:prod -->\n"))
	assert.LessOrEqual(t, len(text), longestBody)
	return text
}

func TestWhatSomebodyCanActOnComesFirst(t *testing.T) {
	old := map[string]any{"engine": "mysql", "password": "[secret]", "instanceClass": "db.t4g.micro"}
	replaced := step(preview.Replace, rds, "database", old, map[string]any{"engine": "postgres", "password": "[secret]"}, map[string]string{"engine": "update-replace"})
	replaced.OldState.Protect = true
	text := body(t, report(
		step(preview.Create, "aws:s3/bucketV2:BucketV2", "media", nil, map[string]any{"bucket": "media"}, nil),
		replaced,
		step(preview.Delete, "aws:kms/key:Key", "parameters", map[string]any{}, nil, nil),
	))
	assert.Contains(t, text, "### Preview of stack <code>prod</code>: 1 to replace, 1 to delete, 1 to create\n")
	assert.Contains(t, text, "**⚠️ Data would be lost.**")
	assert.Contains(t, text, "<code>database</code> (<code>aws&#58;rds/instance&#58;Instance</code>) would be replaced because of <code>engine</code>. What goes: the database: the new one is empty, and what is not in a snapshot is gone. It is protected: Pulumi refuses this until its protection is taken away.\n")
	assert.Contains(t, text, "**Downtime: yes.**")
	assert.Less(t, strings.Index(text, "Data would be lost"), strings.Index(text, "Downtime"))
	assert.Less(t, strings.Index(text, "Downtime"), strings.Index(text, "**Cost:**"))
	assert.Less(t, strings.Index(text, "**Cost:**"), strings.Index(text, "| Change |"))
	assert.Less(t, strings.Index(text, "| Change |"), strings.Index(text, "<details>"))
	assert.Contains(t, text, "~ engine: \"mysql\" → \"postgres\"  (makes a new one)\n")
	assert.Contains(t, text, "    + bucket: \"media\"\n")
}

func TestDowntime(t *testing.T) {
	some := map[string]any{}
	for _, test := range []struct {
		step preview.Step
		want string
	}{
		{step(preview.Update, rds, "d", some, some, map[string]string{"instanceClass": "update"}), "Downtime: yes."},
		{step(preview.Update, rds, "d", some, some, map[string]string{"allocatedStorage": "update"}), "Downtime: no."},
		{step(preview.Update, rds, "d", some, some, map[string]string{"tags.Name": "update"}), "Downtime: no."},
		{step(preview.Replace, "aws:ec2/launchTemplate:LaunchTemplate", "t", some, some, nil), "Downtime: no."},
		{step(preview.Update, "bluegreen:index:Fleet", "f", some, some, map[string]string{"maxSize": "update"}), "Downtime: no."},
		{step(preview.Replace, "bluegreen:index:Fleet", "f", some, some, nil), "Downtime: yes."},
		{step(preview.Replace, "aws:lb/loadBalancer:LoadBalancer", "l", some, some, nil), "Downtime: yes."},
		{step(preview.Replace, "aws:sqs/queue:Queue", "q", some, some, nil), "Downtime: perhaps."},
		{step(preview.Update, "aws:sqs/queue:Queue", "q", some, some, nil), "Downtime: no."},
		{step(preview.Create, "aws:sqs/queue:Queue", "q", nil, some, nil), "Downtime: no."},
	} {
		assert.Contains(t, body(t, report(test.step)), "**"+test.want+"**", "%s %s", test.step.Op, test.step.URN)
	}
	assert.Contains(t, body(t, report()), ": no changes\n")
}

// Whatever the repository's own stacks are made of has a rule.
func TestEveryTypeIsInTheTable(t *testing.T) {
	files, err := filepath.Glob("../../stacks/testdata/*.golden.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	token := regexp.MustCompile(`"((?:aws|random):\w+/\w+:\w+|bluegreen:index:\w+)"`)
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range token.FindAllStringSubmatch(string(text), -1) {
			seen++
			assert.Contains(t, rules, match[1], file)
		}
	}
	assert.Greater(t, seen, 100)
	for kind, rule := range rules {
		for _, of := range []impact{rule.replace, rule.remove} {
			assert.NotEmpty(t, of.why, kind)
		}
	}
}

func TestSecretsAreNotInIt(t *testing.T) {
	const leak = "hunter2hunter2"
	signed := map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": leak, "ciphertext": leak}
	access := "AKIA" + "ABCDEFGHIJKLMNOP"
	inputs := func() map[string]any {
		return map[string]any{
			"marked": signed, "nested": map[string]any{"deep": []any{signed}}, "password": leak, "authToken": leak, "masterPassword": leak,
			"userData": "export KEY=" + access, "url": "postgresql://admin:" + leak + "@host/db", "map": map[string]any{"secretKey": leak, "open": "shown"},
		}
	}
	everything := map[string]string{}
	for key := range inputs() {
		everything[key] = "update"
	}
	everything["marked.inner"] = "update"
	everything["nested.deep[0]"] = "update"
	everything["map.secretKey"] = "update"
	failed := report(step(preview.Update, rds, "d", inputs(), inputs(), everything), step(preview.Create, rds, "e", nil, inputs(), nil))
	failed.Digest.Diagnostics = []preview.Diagnostic{{Severity: "error", Message: "cannot connect to postgresql://admin:" + leak + "@host/db"}}
	for _, r := range []Report{report(failed.Digest.Steps...), failed} {
		for _, text := range []string{body(t, r), r.Full()} {
			assert.NotContains(t, text, leak)
			assert.NotContains(t, text, access)
			assert.Contains(t, text, "shown")
			assert.Contains(t, text, "[secret]")
		}
	}
}

// What comes from a fork is shown as it is and does nothing.
func TestNothingFromAForkIsMarkdown(t *testing.T) {
	for _, evil := range []string{
		"</pre><img src=x onerror=alert(1)>", "@octocat please", "[click](https://evil.example)", "https://evil.example", "www.evil.example",
		"`code` **bold** | cell", "<!-- bluegreen:preview:prod -->", "a\nb\n# heading", "\u202egnp.exe", "#1 closes #2", "![x](y)", "&lt;script&gt;",
	} {
		r := report(step(preview.Update, rds, "safe", map[string]any{"tags": evil}, map[string]any{"tags": evil + "2"}, map[string]string{"tags": "update"}))
		kind := strings.NewReplacer(":", "", "\n", "").Replace(evil)
		r.Digest.Steps[0].DetailedDiff["tags["+kind+"]"] = preview.PropertyDiff{Kind: "add", InputDiff: true}
		r.Digest.Steps[0].ReplaceReasons = []string{evil}
		r.Digest.Steps[0].Op = preview.Replace
		r.Digest.Steps = append(r.Digest.Steps, step(preview.Delete, rds, evil, map[string]any{}, nil, nil))
		text := body(t, r)
		require.Equal(t, 1, strings.Count(text, "<!--"), evil)
		require.Equal(t, 1, strings.Count(text, "</pre>"), evil)
		for _, never := range []string{"<img", "@octocat", "\u202e"} {
			require.NotContains(t, text, never, evil)
		}
		outside := text[:strings.Index(text, "<pre>")]
		for _, never := range []string{"](", "https://", "www.evil", "**bold", "# heading", "<script", "#1 closes", "![x]"} {
			require.NotContains(t, outside, never, evil)
		}
		for _, line := range strings.Split(outside, "\n") {
			if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") {
				require.Equal(t, 5, strings.Count(line, "|"), line)
			}
		}
	}
}

// Any text at all stays inside of its element.
func TestTextsStayInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		inline := strings.TrimSuffix(strings.TrimPrefix(code(text), "<code>"), "</code>")
		assert.NotRegexp(t, "[<>|`*_\\[\\]\\\\\n@:.!#]", regexp.MustCompile(`&#\d+;`).ReplaceAllString(inline, ""))
		assert.NotRegexp(t, `[<>\n@]`, block(text))
		assert.True(t, utf8.ValidString(inline))
	})
}

func TestItSaysWhatIsLeftOut(t *testing.T) {
	var steps []preview.Step
	for i := range 2000 {
		steps = append(steps, step(preview.Create, "aws:sqs/queue:Queue", fmt.Sprint("queue", i), nil, map[string]any{"name": strings.Repeat("<é@>", 60)}, nil))
	}
	r := report(steps...)
	r.RunURL = "https://github.com/example/website/actions/runs/1"
	text, left := r.Body()
	assert.LessOrEqual(t, len(text), longestBody)
	assert.Greater(t, len(text), longestBody-2000, "the space is used")
	assert.Contains(t, text, fmt.Sprintf("%d of 4000 lines are left out here, where GitHub allows 65536 characters; all are in [the output of this run](https://github.com/example/website/actions/runs/1).", left))
	assert.Equal(t, 4000-left, strings.Count(text[strings.Index(text, "<pre>")+6:strings.Index(text, "</pre>")], "\n"))
	assert.Contains(t, text, "| and 1940 more | | | |\n")
	assert.True(t, strings.HasSuffix(text, "</details>\n"))
	assert.Equal(t, 4000, strings.Count(r.Full(), "\n"))
}

func TestAPreviewThatFailed(t *testing.T) {
	r := report()
	r.Digest.Diagnostics = []preview.Diagnostic{{Severity: "warning", Message: "no matter"}, {Severity: "error", Message: "edge.domain: required <here>\nsecond line"}}
	text := body(t, r)
	assert.Contains(t, text, "### Preview of stack <code>prod</code> failed\n")
	assert.Contains(t, text, "<pre>\nedge.domain: required &lt;here&gt;\nsecond line\n</pre>")
	assert.NotContains(t, text, "no matter")
	assert.NotContains(t, text, "Cost")
}

func TestPathsOfProperties(t *testing.T) {
	var inputs map[string]any
	require.NoError(t, json.Unmarshal([]byte(`{"rules": [{"port": 80}], "tags": {"a.b": "c"}, "unknown": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}`), &inputs))
	for path, want := range map[string]string{
		"rules[0].port": "80", `tags["a.b"]`: `"c"`, "rules[7].port": "(not shown)", "rules.port": "(not shown)", "[": "(not shown)",
		"unknown": "(known after the update)", "rules": `[{"port":80}]`,
	} {
		assert.Equal(t, want, show(path, at(inputs, path)), path)
	}
}

// However long names are, and whatever paths and messages hold, a comment is one
// that GitHub takes.
func TestHostilePreviewsFit(t *testing.T) {
	long := strings.Repeat("@", 3000)
	var steps []preview.Step
	for i := range 100 {
		op := []preview.Op{preview.Replace, preview.Delete, preview.Update}[i%3]
		kind := []string{rds, fmt.Sprintf("aws:x/y:%d%s", i, long)}[i%2]
		one := step(op, kind, fmt.Sprint(i, long), map[string]any{}, map[string]any{}, map[string]string{long: "update-replace", "": "add", ".": "update", "[": "delete"})
		steps = append(steps, one)
	}
	r := report(steps...)
	text := body(t, r)
	assert.Regexp(t, `\n- and \d+ more\n`, text)
	assert.Regexp(t, `\n\| and \d+ more \| \| \| \|\n`, text)
	assert.True(t, strings.HasSuffix(text, "</details>\n"))
	drift, _ := r.DriftBody()
	assert.LessOrEqual(t, len(drift), longestBody)
	for range 30 {
		r.Digest.Diagnostics = append(r.Digest.Diagnostics, preview.Diagnostic{Severity: "error", Message: long})
	}
	assert.Regexp(t, `\n… and \d+ more lines\n`, body(t, r))
}

// What the table does not know is neither safe nor lost.
func TestTypesThatNobodyKnows(t *testing.T) {
	some := map[string]any{}
	const table = "aws:dynamodb/table:Table"
	for _, op := range []preview.Op{preview.Replace, preview.Delete} {
		text := body(t, report(step(op, table, "orders", some, some, nil)))
		assert.Contains(t, text, "**Data: perhaps.** Whether these hold some is not in the table; look at what they are.\n\n- <code>orders</code>")
		assert.NotContains(t, text, "nothing that holds data")
		assert.Contains(t, text, "Downtime: perhaps.")
	}
	text := body(t, report(step(preview.Delete, table, "orders", some, nil, nil), step(preview.Delete, rds, "database", some, nil, nil)))
	assert.Less(t, strings.Index(text, "Data would be lost"), strings.Index(text, "Data: perhaps"))
	assert.Contains(t, text, "Data: perhaps")
}

// A comment that a failed preview has left as it was is not taken for one of the
// newest commit.
func TestACommentSaysOfWhichCommit(t *testing.T) {
	r := report()
	assert.NotContains(t, body(t, r), "Of commit")
	r.Commit = "0123456789abcdef0123456789abcdef01234567"
	assert.Contains(t, body(t, r), "\n\nOf commit <code>0123456789ab…</code>; a later one has no preview yet, or its preview failed.\n\n**Data:**")
}
