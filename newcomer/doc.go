// Package newcomer holds the test that plays somebody who has just made a
// repository from this one: from an empty AWS account to the first releases, a
// pull request, somebody else's change, and the end of it all. It runs what
// docs/first-hour.md tells to run, and holds what is printed against that page;
// on GitHub's side it runs the jobs of .github/workflows, with nothing but the
// variables and secrets that the commands have written there.
//
// It is a room of its own, as instance is, because it belongs to no other: it
// uses the checkout as a whole, through make and bin/bluegreen, and nothing may
// be known to it that a newcomer could not know. AWS is the sandbox's, with no
// platform in it; GitHub is that of internal/github/githubtest.
package newcomer
