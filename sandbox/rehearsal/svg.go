package rehearsal

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Sizes of the picture, in pixels.
const (
	pictureWidth = 1280
	leftMargin   = 168
	rightMargin  = 96  // room for the last steps' names
	stepsHeight  = 112 // of the steps' names, which are written aslant
	laneHeight   = 13
	fleetGap     = 12
	rateHeight   = 110
	delayHeight  = 90
	failHeight   = 26
	partGap      = 40
	mostColumns  = 500 // of the diagrams
)

// Colours of releases, in order, then again from the first: none is red, which
// is for failures.
var palette = []string{"#35699f", "#2c8a4b", "#8457b5", "#c17f16", "#1f8f98", "#6b7f2a", "#a0527f"}

const (
	noRelease = "#93a1b0" // of what has none, or names none
	red       = "#c4281c"
)

const pictureStyle = `text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:11px;fill:#33424f}
.h{font-size:19px;font-weight:600;fill:#1c2733}.s{font-size:13px}.t{font-size:12px;font-weight:600;fill:#1c2733}.e{text-anchor:end}.x{paint-order:stroke;stroke:#fafcfe;stroke-width:3px}.m{text-anchor:middle}
rect{shape-rendering:crispEdges}.grid{stroke:#dfe6ed;stroke-width:1}.step{stroke:#8b9aa9;stroke-width:1;stroke-dasharray:3 3}.p50{fill:none;stroke:#1c2733;stroke-width:1.3}.p99{fill:none;stroke:#c17f16;stroke-width:1.3}`

// picture draws a timeline.
type picture struct {
	Timeline
	columns []Second // of requests; each is of several seconds in a long rehearsal
	seconds int      // how many
	out     strings.Builder
	top     float64 // of what is drawn next
	bottom  float64 // of the last part
}

// WriteSVG draws a timeline as a picture.
func (t Timeline) WriteSVG(out io.Writer) error {
	p := &picture{Timeline: t, top: 72 + stepsHeight}
	p.columns, p.seconds = t.columns(mostColumns)
	began := p.top
	p.fleets()
	p.rate()
	p.delay()
	p.failures()
	p.axis()
	body := p.out.String()
	p.out.Reset()
	p.heading()
	p.legend(p.bottom + 38)
	p.steps(began)
	requests, failures, _, _ := t.Total()
	_, err := fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" role="img" aria-label="Timeline of a rehearsal: %d requests, %d failed">
<style>%s</style>
<rect width="100%%" height="100%%" fill="#fafcfe"/>
%s%s</svg>
`, pictureWidth, p.bottom+84, requests, failures, pictureStyle, p.out.String(), body)
	return err
}

// x is where a second is.
func (p *picture) x(second float64) float64 {
	return leftMargin + second/max(p.Length, 1)*(pictureWidth-leftMargin-rightMargin)
}

func (p *picture) text(class string, x, y float64, format string, arguments ...any) {
	fmt.Fprintf(&p.out, "<text class=%q x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, html.EscapeString(fmt.Sprintf(format, arguments...)))
}

func (p *picture) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&p.out, "<line class=%q x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1, x2, y2)
}

// box is a rectangle with a text that shows when one points at it.
func (p *picture) box(style string, x, y, width, height float64, title string) {
	fmt.Fprintf(&p.out, "<rect style=%q x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s</title></rect>\n",
		style, x, y, max(width, 0.6), height, html.EscapeString(title))
}

// colour is a release's own.
func (p *picture) colour(release string) string {
	at := slices.Index(p.Releases, release)
	if release == "" || at < 0 {
		return noRelease
	}
	return palette[at%len(palette)]
}

func (p *picture) heading() {
	requests, failures, p50, p99 := p.Total()
	p.text("h", 20, 34, "Rehearsal of %s: %s requests, %s", p.Began.UTC().Format(time.DateOnly), grouped(requests), failed(failures))
	p.text("s", 20, 55, "%s; half of the requests within %s, 99 of 100 within %s", minutes(p.Length), milliseconds(p50), milliseconds(p99))
}

// labelGap is what names of steps need between them.
const labelGap = 24

// steps are lines through everything, with names above. Names that would be in
// each other's way move to the right.
func (p *picture) steps(top float64) {
	free := 0.0
	for _, step := range p.Steps {
		x := p.x(step.From)
		at := max(x, free)
		free = at + labelGap
		p.line("step", x, top-8, x, p.bottom)
		p.line("step", x, top-8, at, top-16)
		style := ""
		if len(step.Problems) > 0 {
			style = ` style="fill:` + red + `;font-weight:600"`
		}
		fmt.Fprintf(&p.out, "<text%s transform=\"translate(%.1f %.1f) rotate(-32)\">%d %s</text>\n", style, at+2, top-19, step.Number, html.EscapeString(step.Short))
	}
}

// fleets are machines, a lane each.
func (p *picture) fleets() {
	for _, fleet := range p.Fleets {
		name := "no release yet"
		if fleet.Release != "" {
			name = p.Title(fleet.Release)
		}
		p.text("t e", leftMargin-10, p.top+laneHeight-2, "%s", name)
		for i, lane := range fleet.Lanes {
			y := p.top + float64(i)*(laneHeight+4)
			if i == 1 {
				p.text("e", leftMargin-10, y+laneHeight-2, "%s", fleet.Release)
			}
			p.lane(lane, y, p.colour(fleet.Release))
		}
		p.top += float64(max(1, len(fleet.Lanes)))*(laneHeight+4) + fleetGap
	}
	p.top += partGap - fleetGap
}

// looks is how a span is drawn, in the colour of its fleet.
var looks = map[string]string{
	Booting:  "fill:none;stroke:%s;stroke-dasharray:2 2",
	Ready:    "fill:%s;fill-opacity:.28",
	serving:  "fill:%s",
	draining: "fill:%s;fill-opacity:.6",
}

func (p *picture) lane(lane Lane, y float64, colour string) {
	for _, span := range lane.Spans {
		p.box(fmt.Sprintf(looks[span.State], colour), p.x(span.From), y, p.x(span.To)-p.x(span.From), laneHeight,
			fmt.Sprintf("%s: %s, %s", lane.Instance, span.State, minutes(span.To-span.From)))
	}
	labelled := math.Inf(-1)
	for _, mark := range lane.Marks {
		x := p.x(mark.At)
		if !mark.Failed {
			fmt.Fprintf(&p.out, "<path stroke=\"#1c2733\" stroke-width=\"1\" d=\"M%.1f %.1f v%d\"><title>%s</title></path>\n", x, y, laneHeight, html.EscapeString(mark.Text))
			continue
		}
		fmt.Fprintf(&p.out, "<path stroke=%q stroke-width=\"2.4\" d=\"M%.1f %.1f l9 9 m0 -9 l-9 9\"><title>%s</title></path>\n", red, x-4.5, y+2, html.EscapeString(mark.Text))
		if x-labelled > 80 {
			p.text("x", x+8, y+laneHeight-2, "%s", mark.Text)
			labelled = x
		}
	}
}

// rate is how many requests were answered, by release, and failed.
func (p *picture) rate() {
	most := 1.0
	for _, column := range p.columns {
		most = max(most, p.perSecond(column.count()))
	}
	p.part("Requests a second", rateHeight)
	p.text("e", leftMargin-10, p.top+10, "%.0f", most)
	height := func(count int) float64 { return p.perSecond(count) / most * rateHeight }
	below := make([]float64, len(p.columns))
	for _, release := range append([]string{""}, p.Releases...) {
		p.stack(p.colour(release), p.Title(release), below, func(s Second) float64 { return height(s.Requests[release]) })
	}
	p.stack(red, "failed", below, func(s Second) float64 { return height(s.Failures) })
	p.top += rateHeight + partGap
}

func (p *picture) perSecond(count int) float64 { return float64(count) / float64(p.seconds) }

// stack draws columns of one colour above those that are there already.
func (p *picture) stack(colour, title string, below []float64, height func(Second) float64) {
	var path strings.Builder
	width := p.x(float64(p.seconds)) - p.x(0) + 0.5
	for i, column := range p.columns {
		if h := height(column); h > 0 {
			below[i] += h
			fmt.Fprintf(&path, "M%.1f %.1fh%.1fv%.1fh-%.1fz", p.x(float64(i*p.seconds)), p.top+rateHeight-below[i], width, h, width)
		}
	}
	if path.Len() > 0 {
		fmt.Fprintf(&p.out, "<path shape-rendering=\"crispEdges\" fill=%q d=%q><title>%s</title></path>\n", colour, path.String(), html.EscapeString(title))
	}
}

// part is the name and the base line of a diagram.
func (p *picture) part(name string, height float64) {
	p.text("t", leftMargin, p.top-8, "%s", name)
	p.line("grid", leftMargin, p.top+height, pictureWidth-rightMargin, p.top+height)
	p.bottom = p.top + height
}

// The latencies that the diagram has room for, in seconds, on a logarithmic
// scale.
const (
	shortest = 0.001
	longest  = 10
)

// delay is how long answers took.
func (p *picture) delay() {
	p.part("Time until the end of the answer: half of the requests (black), 99 of 100 (amber)", delayHeight)
	y := func(seconds float64) float64 {
		share := math.Log(min(max(seconds, shortest), longest)/shortest) / math.Log(longest/shortest)
		return p.top + delayHeight*(1-share)
	}
	for _, at := range []float64{0.01, 0.1, 1, longest} {
		p.line("grid", leftMargin, y(at), pictureWidth-rightMargin, y(at))
		p.text("e", leftMargin-10, y(at)+4, "%s", milliseconds(at))
	}
	var half, most strings.Builder
	move := "M"
	for i, column := range p.columns {
		if len(column.latencies) == 0 {
			move = "M"
			continue
		}
		x := p.x((float64(i) + 0.5) * float64(p.seconds))
		fmt.Fprintf(&half, "%s%.1f %.1f", move, x, y(column.P50))
		fmt.Fprintf(&most, "%s%.1f %.1f", move, x, y(column.P99))
		move = "L"
	}
	fmt.Fprintf(&p.out, "<path class=\"p99\" d=%q/>\n<path class=\"p50\" d=%q/>\n", most.String(), half.String())
	p.top += delayHeight + partGap
}

// failures are a line of their own: one among thousands must be seen.
func (p *picture) failures() {
	_, all, _, _ := p.Total()
	p.part("Failed requests: "+failed(all), failHeight)
	width := max(3, p.x(1)-p.x(0))
	for i, second := range p.Seconds {
		if second.Failures > 0 {
			p.box("fill:"+red, p.x(float64(i)), p.top, width, failHeight, fmt.Sprintf("%d failed", second.Failures))
		}
	}
}

// axis is the time.
func (p *picture) axis() {
	every := 30.0
	for p.Length/every > 16 {
		every *= 2
	}
	for at := 0.0; at <= p.Length; at += every {
		p.line("grid", p.x(at), p.bottom, p.x(at), p.bottom+5)
		p.text("m", p.x(at), p.bottom+18, "%s", clock(at))
	}
}

func (p *picture) legend(y float64) {
	x := 20.0
	for _, entry := range []struct{ state, text string }{
		{Booting, "machine starts"}, {Ready, "without visitors"}, {serving, "healthy target, serves"}, {draining, "finishes what it has"},
	} {
		p.box(fmt.Sprintf(looks[entry.state], palette[0]), x, y, 26, laneHeight, entry.text)
		p.text("", x+32, y+laneHeight-2, "%s", entry.text)
		x += 168
	}
	p.text("", x, y+laneHeight-2, "| a lifecycle event has ended")
	p.text("", x+180, y+laneHeight-2, "× failed or killed")
	p.text("", 20, y+laneHeight+18, "Each release has a colour, for its machines and its answers. Grey: answers that name no release.")
}
