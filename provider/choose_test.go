package provider

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	who = identity{Key: "site/prod/web", Application: "site", DeploymentGroup: "site-group", LaunchTemplateID: "lt-1"}
	now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
)

func group(name, key string, age time.Duration) Group {
	return Group{Name: name, Key: key, Created: now.Add(-age), Shape: Shape{LaunchTemplateID: "lt-1"}}
}

func greenOf(id, key string, age time.Duration) Group {
	return group("CodeDeploy_site-group_"+id, key, age)
}

func deleting(g Group) Group { g.Deleting = true; return g }

func fromTemplate(g Group, id string) Group { g.LaunchTemplateID = id; return g }

func statuses(pairs ...string) map[string]Deployment {
	all := map[string]Deployment{}
	for at := 0; at < len(pairs); at += 2 {
		d := Deployment{ID: pairs[at], Status: pairs[at+1]}
		if !d.running() {
			d.Ended = now.Add(-time.Hour)
		}
		all[d.ID] = d
	}
	return all
}

func TestChoose(t *testing.T) {
	key := who.Key
	bootstrap := group("web-1", key, 10*time.Hour)
	turning, elsewhere := group("turn-a", "", time.Hour), group("turn-a", "", time.Hour)
	turning.Tags, elsewhere.Tags = map[string]string{pairTag: "site/site-group"}, map[string]string{pairTag: "site/other-group"}
	for _, test := range []struct {
		name      string
		evidence  evidence
		want      string // empty: gone
		leftovers []string
		err       string
	}{
		{name: "nothing at all"},
		{name: "first group, no deployment group yet", evidence: evidence{Groups: []Group{bootstrap}}, want: "web-1"},
		{name: "of another fleet", evidence: evidence{Groups: []Group{group("x", "site/staging/web", 0)}}},
		{name: "of nobody", evidence: evidence{Groups: []Group{group("x", "", 0)}}},
		{
			name:     "one of two groups that take turns, from before the stack had a fleet",
			evidence: evidence{Groups: []Group{turning}, Named: []string{"turn-a"}},
		},
		{
			name:     "one of two groups that take turns, of another deployment group",
			evidence: evidence{Groups: []Group{elsewhere}, Named: []string{"turn-a"}},
			err:      "deployment group site-group names the Auto Scaling group turn-a, which has no tag bluegreen:fleet; if it is this fleet's, add the tag with the value " + key,
		},
		{
			name:     "the deployment group's answer",
			evidence: evidence{Groups: []Group{bootstrap, greenOf("d-1", key, time.Hour)}, Named: []string{"CodeDeploy_site-group_d-1"}, Deployments: statuses("d-1", "Succeeded")},
			want:     "CodeDeploy_site-group_d-1", leftovers: []string{"web-1"},
		},
		{
			name: "the original in its termination wait",
			evidence: evidence{
				Groups: []Group{bootstrap, greenOf("d-1", key, time.Hour)}, Named: []string{"CodeDeploy_site-group_d-1"},
				Deployments: map[string]Deployment{"d-1": {ID: "d-1", Status: "Succeeded", Ended: now.Add(-9 * time.Minute), TerminationWait: 10 * time.Minute}},
			},
			want: "CodeDeploy_site-group_d-1",
		},
		{
			name: "green of a running deployment",
			evidence: evidence{
				Groups: []Group{bootstrap, greenOf("d-1", key, time.Hour)}, Named: []string{"web-1"},
				Deployments: statuses("d-1", "InProgress"), Running: []Deployment{{ID: "d-1", Status: "InProgress"}},
			},
			want: "web-1",
		},
		{
			name:     "green of a failed deployment",
			evidence: evidence{Groups: []Group{bootstrap, greenOf("d-1", key, time.Hour)}, Named: []string{"web-1"}, Deployments: statuses("d-1", "Failed")},
			want:     "web-1", leftovers: []string{"CodeDeploy_site-group_d-1"},
		},
		{
			name: "a failed one's green stays a leftover while the next runs",
			evidence: evidence{
				Groups: []Group{bootstrap, greenOf("d-1", key, time.Hour), greenOf("d-2", key, 0)}, Named: []string{"web-1"},
				Deployments: statuses("d-1", "Failed", "d-2", "InProgress"), Running: []Deployment{{ID: "d-2", Status: "InProgress"}},
			},
			want: "web-1", leftovers: []string{"CodeDeploy_site-group_d-1"},
		},
		{
			name:     "a copy that lost its tags",
			evidence: evidence{Groups: []Group{greenOf("d-1", "", time.Hour)}, Named: []string{"CodeDeploy_site-group_d-1"}, Deployments: statuses("d-1", "Succeeded")},
			want:     "CodeDeploy_site-group_d-1",
		},
		{
			name:     "a copy without tags of another application's deployment group of the same name",
			evidence: evidence{Groups: []Group{bootstrap, fromTemplate(greenOf("d-1", "", time.Hour), "lt-2")}, Named: []string{"web-1"}},
			want:     "web-1",
		},
		{
			name:     "live group deleted by hand",
			evidence: evidence{Groups: []Group{deleting(bootstrap)}, Named: []string{"web-1"}},
		},
		{
			name:     "live group gone, a failed green is left: never chosen",
			evidence: evidence{Groups: []Group{greenOf("d-1", key, time.Hour)}, Named: []string{"web-1"}, Deployments: statuses("d-1", "Stopped")},
			want:     "", leftovers: []string{"CodeDeploy_site-group_d-1"},
		},
		{
			name:     "the deployment group is not repointed yet and blue is gone",
			evidence: evidence{Groups: []Group{deleting(bootstrap), greenOf("d-1", key, time.Hour)}, Named: []string{"web-1"}, Deployments: statuses("d-1", "Succeeded")},
			want:     "CodeDeploy_site-group_d-1",
		},
		{
			name:     "deployment group deleted by hand: the newest that took over",
			evidence: evidence{Groups: []Group{bootstrap, greenOf("d-1", key, 3*time.Hour), greenOf("d-2", key, time.Hour)}, Deployments: statuses("d-1", "Succeeded", "d-2", "Failed")},
			want:     "CodeDeploy_site-group_d-1", leftovers: []string{"CodeDeploy_site-group_d-2", "web-1"},
		},
		{
			name:     "only a green in the making: not gone",
			evidence: evidence{Groups: []Group{greenOf("d-1", key, 0)}, Deployments: statuses("d-1", "InProgress"), Running: []Deployment{{ID: "d-1", Status: "InProgress"}}},
			want:     "CodeDeploy_site-group_d-1",
		},
		{
			name:     "one copy, its deployment forgotten",
			evidence: evidence{Groups: []Group{greenOf("d-1", key, 0)}},
			want:     "CodeDeploy_site-group_d-1",
		},
		{
			name:     "two groups and nobody knows",
			evidence: evidence{Groups: []Group{bootstrap, greenOf("d-1", key, 0)}},
			err:      "fleet site/prod/web has 2 groups (CodeDeploy_site-group_d-1, web-1), deployment group site-group names none of them and CodeDeploy no longer knows the deployment that made CodeDeploy_site-group_d-1; delete the groups that take no traffic",
		},
		{
			name:     "another fleet's group in the deployment group",
			evidence: evidence{Groups: []Group{bootstrap, group("theirs", "site/staging/web", 0)}, Named: []string{"theirs"}},
			err:      `deployment group site-group names the Auto Scaling group theirs, which is of fleet "site/staging/web" (tag bluegreen:fleet), not of "site/prod/web"; point the deployment group at this fleet's group`,
		},
		{
			name:     "an unmarked group in the deployment group",
			evidence: evidence{Groups: []Group{group("hand-made", "", 0)}, Named: []string{"hand-made"}},
			err:      "deployment group site-group names the Auto Scaling group hand-made, which has no tag bluegreen:fleet; if it is this fleet's, add the tag with the value site/prod/web",
		},
		{
			name:     "two groups in the deployment group",
			evidence: evidence{Groups: []Group{bootstrap}, Named: []string{"web-1", "other"}},
			err:      "deployment group site-group names 2 Auto Scaling groups (web-1, other), want one; remove those that are not the fleet's",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.evidence.Now = now
			got, err := choose(who, test.evidence)
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
			if test.want == "" {
				assert.Nil(t, got.Live)
			} else {
				require.NotNil(t, got.Live)
				assert.Equal(t, test.want, got.Live.Name)
			}
			assert.Equal(t, test.leftovers, got.Leftovers)
		})
	}
}

// Whatever AWS holds, a group of somebody else, one that is being deleted or
// one of a failed deployment is chosen only when the deployment group says so.
func TestChooseNeverTakesTheWrongGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := evidence{Now: now, Deployments: map[string]Deployment{}}
		count := rapid.IntRange(0, 6).Draw(t, "groups")
		for n := range count {
			id := "d-" + string(rune('A'+n))
			key := rapid.SampledFrom([]string{who.Key, "", "site/staging/web"}).Draw(t, "key")
			g := greenOf(id, key, time.Duration(n)*time.Hour)
			g.Deleting = rapid.Bool().Draw(t, "deleting")
			g.LaunchTemplateID = rapid.SampledFrom([]string{"lt-1", "lt-2"}).Draw(t, "template")
			e.Groups = append(e.Groups, g)
			if status := rapid.SampledFrom([]string{"Succeeded", "Failed", "Stopped", "InProgress", ""}).Draw(t, "status"); status != "" {
				e.Deployments[id] = Deployment{ID: id, Status: status}
			}
		}
		if count > 0 && rapid.Bool().Draw(t, "answer") {
			e.Named = []string{e.Groups[rapid.IntRange(0, count-1).Draw(t, "named")].Name}
		}
		got, err := choose(who, e)
		if err != nil || got.Live == nil {
			return
		}
		if got.Live.Deleting || !who.owns(*got.Live) {
			t.Fatalf("chose %+v", got.Live)
		}
		made, known := e.maker(*got.Live)
		if len(e.Named) == 1 && e.Named[0] == got.Live.Name {
			return
		}
		if known && made.failed() {
			t.Fatalf("chose the leftover %s", got.Live.Name)
		}
	})
}

func TestBootstrapName(t *testing.T) {
	assert.Equal(t, "site-prod-web-ed8cbbfb", bootstrapName("site/prod/web"))
	assert.NotEqual(t, bootstrapName("a/b-c/d"), bootstrapName("a-b/c/d"))
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-zA-Z0-9_.-]{1,200}/[a-z0-9]{1,30}/[a-z]{1,30}`).Draw(t, "key")
		if name := bootstrapName(key); len(name) > longestGroupName || copyName.MatchString(name) {
			t.Fatalf("%s", name)
		}
	})
}

func TestMadeBy(t *testing.T) {
	for name, want := range map[string][2]string{
		"CodeDeploy_site-group_d-ABC123XYZ": {"site-group", "d-ABC123XYZ"},
		"CodeDeploy_a_b_d-1_d-2":            {"a_b_d-1", "d-2"},
		"CodeDeploy_site-group":             {},
		"site-prod-web":                     {},
	} {
		deploymentGroup, id, ok := madeBy(name)
		assert.Equal(t, want, [2]string{deploymentGroup, id}, name)
		assert.Equal(t, id != "", ok, name)
	}
}
