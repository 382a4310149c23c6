package cost

import (
	"fmt"
	"strings"
)

// shownChanges are the resources that a comment lists; the others are counted.
const shownChanges = 10

// Markdown is a short text for a pull request: before and after, and which
// resources make the difference.
func (c Comparison) Markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", c.headline())
	if len(c.Changes) > 0 {
		out.WriteString("\n| Resource | Before | After | Difference |\n| --- | ---: | ---: | ---: |\n")
	}
	for at, change := range c.Changes {
		if at == shownChanges {
			fmt.Fprintf(&out, "| and %d more | | | |\n", len(c.Changes)-shownChanges)
			break
		}
		note := ""
		if change.Unknown {
			note = ", a part unknown"
		}
		before, after, difference := change.Amounts()
		fmt.Fprintf(&out, "| %s `%s`%s | %s | %s | %s |\n", change.Kind(), change.Resource, note, before, after, difference)
	}
	fmt.Fprintf(&out, "\n%s\n", strings.Join(c.After.Caveats(), " "))
	return out.String()
}

func (c Comparison) headline() string {
	if c.After.Partial || c.Before.Partial {
		return fmt.Sprintf("**%s a month**; what stays as it is was not listed.", c.Sum())
	}
	if c.Delta() == 0 && len(c.Changes) == 0 {
		return fmt.Sprintf("**%s a month**, as before.", c.After.Sum())
	}
	return fmt.Sprintf("**%s → %s a month** (%s).", c.Before.Sum(), c.After.Sum(), c.Sum())
}

// Sum is the total for people, as in "$12.34" or "at least $12.34".
func (e Estimate) Sum() string {
	if len(e.Unknown()) > 0 {
		return "at least " + Dollars(e.Total())
	}
	return Dollars(e.Total())
}

// Caveats are what a reader has to know about the total, a sentence each: what is
// unknown, what is assumed, and how old the prices are.
func (e Estimate) Caveats() []string {
	said := []string{}
	if unknown := e.Unknown(); len(unknown) > 0 {
		said = append(said, fmt.Sprintf("%s unknown.", counted(len(unknown), "amount is", "amounts are")))
	}
	if e.Ceiling() > e.Total() {
		said = append(said, fmt.Sprintf("Spot instances are taken for %g %% below the on-demand price; without any discount: %s.", e.Usage.SpotDiscount, Dollars(e.Ceiling())))
	}
	if use := e.Of(ByUse); use > 0 {
		said = append(said, fmt.Sprintf("%s of it depends on use, which is assumed.", Dollars(use)))
	}
	if oldest := e.Oldest(); !oldest.IsZero() {
		said = append(said, fmt.Sprintf("Prices of %s, before tax; the oldest is of %s, and %s rests on prices that were not looked up.",
			e.Region, oldest.Format("2 January 2006"), Dollars(e.Unconfirmed())))
	}
	return said
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Dollars writes an amount, as in "$1234.50".
func Dollars(usd float64) string {
	if usd < 0 {
		return fmt.Sprintf("-$%.2f", -usd)
	}
	return fmt.Sprintf("$%.2f", usd)
}

// Signed writes a difference, as in "+$1.50".
func Signed(usd float64) string {
	if usd > 0 {
		return "+" + Dollars(usd)
	}
	return Dollars(usd)
}
