package instance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Settings and tasks beside the application's own: times short enough for a
// test, and a task that says when it begins and ends.
const (
	shortTimes = `
from config.settings.local import *
from config.settings.local import CELERY_BROKER_TRANSPORT_OPTIONS, INSTALLED_APPS
INSTALLED_APPS.append("slow")
CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] = 5
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_REDBEAT_LOCK_TIMEOUT = 5
CELERY_BEAT_SCHEDULE = {"tick": {"task": "slow.tasks.tick", "schedule": 1}}
`
	slowTasks = `
import os, time
from celery import shared_task
def say(file, text):
    with open(file, "a") as log:
        log.write(f"{text} {os.getpid()}\n")
@shared_task
def nap(file, number, while_there):
    say(file, f"began {number}")
    while os.path.exists(while_there):
        time.sleep(0.05)
    say(file, f"ended {number}")
@shared_task
def tick():
    pass
`
)

// fleet is a place for processes of Celery with settings of the test's own.
type fleet struct {
	t           *testing.T
	environment []string
}

func newCelery(t *testing.T) fleet {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "slow"), 0o755)) // #nosec G301 -- sources
	for file, text := range map[string]string{"short_times.py": shortTimes, "slow/__init__.py": "", "slow/tasks.py": slowTasks} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600))
	}
	cache, _ := redis(t)
	return fleet{t, []string{
		"PYTHONPATH=" + folder, "DJANGO_SETTINGS_MODULE=short_times", "REDIS_URL=" + cache, "CELERY_BROKER_URL=" + cache,
		"DATABASE_URL=sqlite://:memory:", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1",
	}}
}

// shell runs a script in the application and gives what it prints.
func (f fleet) shell(script string) string {
	f.t.Helper()
	command := manage(f.t, f.environment, "shell", "--no-imports", "--command", script)
	command.Stderr = os.Stderr
	output, err := command.Output()
	require.NoError(f.t, err)
	return strings.TrimSpace(string(output))
}

// start runs a process of Celery, which ends with the test, and gives its log.
func (f fleet) start(arguments ...string) (process *exec.Cmd, log func() string) {
	f.t.Helper()
	command := exec.Command(python(f.t), append([]string{"-m", "celery", "--app", "config"}, arguments...)...) // #nosec G204 -- our own application
	command.Dir, command.Env = filepath.Join(root, "app"), append(os.Environ(), f.environment...)
	path := filepath.Join(f.t.TempDir(), "log")
	file, err := os.Create(path) // #nosec G304 -- the test's own folder
	require.NoError(f.t, err)
	command.Stdout, command.Stderr = file, file
	require.NoError(f.t, command.Start())
	f.t.Cleanup(func() {
		below := descendants(f.t, command.Process.Pid)
		_, _ = command.Process.Kill(), command.Wait()
		for _, pid := range below {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended with its parent
		}
		_ = file.Close()
	})
	return command, func() string {
		text, err := os.ReadFile(path) // #nosec G304 -- the test's own folder
		require.NoError(f.t, err)
		return string(text)
	}
}

// A task is taken off the queue when it is done. It begins anew when the process
// that does it is killed, and when the whole worker is.
func TestATaskOutlivesWhoeverDoesIt(t *testing.T) {
	t.Parallel()
	f := newCelery(t)
	said, hold := filepath.Join(t.TempDir(), "said"), filepath.Join(t.TempDir(), "hold")
	require.NoError(t, os.WriteFile(hold, nil, 0o600))
	read := func() []string {
		text, _ := os.ReadFile(said) // not there before the first task begins
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	f.shell(fmt.Sprintf("from slow.tasks import nap; nap.delay(%q, 1, %q)", said, hold))
	worker := []string{"worker", "--loglevel", "info", "--concurrency", "1"}
	first, _ := f.start(worker...)
	waitFor(t, "the task begins", func() bool { return strings.HasPrefix(read()[0], "began 1") })

	// The process alone, as by the kernel when memory is short.
	var child int
	_, err := fmt.Sscanf(read()[0], "began 1 %d", &child)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(child, syscall.SIGKILL))
	waitFor(t, "the task begins again", func() bool { return len(read()) == 2 })

	// The whole worker, as when its instance is gone.
	below := descendants(t, first.Process.Pid)
	require.NoError(t, first.Process.Kill())
	for _, pid := range below {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	_ = first.Wait()
	// A worker looks for tasks of lost ones when it starts, then every other minute.
	waitFor(t, "the visibility timeout is over", func() bool {
		return f.shell(`
import time
from config.celery import app
with app.connection_for_read() as connection:
    [(_, taken)] = connection.default_channel.client.zrange("unacked_index", 0, -1, withscores=True)
    print(time.time() - taken > 5)`) == "True"
	})
	second, _ := f.start(worker...)
	waitFor(t, "another worker has the task", func() bool { return len(read()) == 3 })
	require.NoError(t, os.Remove(hold))
	waitFor(t, "the task ends", func() bool { return strings.HasPrefix(read()[len(read())-1], "ended 1") })
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	require.NoError(t, second.Wait())
	assert.Equal(t, "0 0", f.shell(`
from config.celery import app
with app.connection_for_read() as connection:
    redis = connection.default_channel.client
    print(redis.llen("celery"), redis.hlen("unacked"))`), "nothing is left to do")
}

// ticks are the times at which a beat sent its task, as its log has them.
var ticks = regexp.MustCompile(`(?m)^(\S+) INFO .*Sending due task tick`)

func TestOneBeatTicksAtATime(t *testing.T) {
	t.Parallel()
	f := newCelery(t)
	f.environment = append(f.environment, "DJANGO_SETTINGS_MODULE=dated")
	folder := strings.TrimPrefix(f.environment[0], "PYTHONPATH=")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "dated.py"), []byte(`
from short_times import *
from short_times import LOGGING
LOGGING["formatters"]["plain"]["format"] = "{asctime} {levelname} {name}: {message}"
LOGGING["formatters"]["plain"]["datefmt"] = "%Y-%m-%dT%H:%M:%S"
LOGGING["formatters"]["plain"]["()"] = "slow.tasks.Dated"
`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "slow/tasks.py"), []byte(slowTasks+`
import logging, datetime
class Dated(logging.Formatter):
    def formatTime(self, record, datefmt=None):
        return datetime.datetime.fromtimestamp(record.created).isoformat(timespec="microseconds")
`), 0o600))
	beat := func() (*exec.Cmd, func() []string, func() string) {
		process, log := f.start("beat", "--loglevel", "info")
		return process, func() (times []string) {
			for _, match := range ticks.FindAllStringSubmatch(log(), -1) {
				times = append(times, match[1])
			}
			return times
		}, log
	}
	first, firstTicks, _ := beat()
	waitFor(t, "the first beat ticks", func() bool { return len(firstTicks()) > 1 })
	second, secondTicks, secondLog := beat()
	waitFor(t, "the second beat starts", func() bool { return strings.Contains(secondLog(), "beat: Starting...") })
	seen := len(firstTicks())
	waitFor(t, "the first beat goes on", func() bool { return len(firstTicks()) > seen+1 })
	assert.Empty(t, secondTicks())

	// The first stops, as in a release: it gives the lock back.
	require.NoError(t, first.Process.Signal(syscall.SIGTERM))
	require.NoError(t, first.Wait())
	waitFor(t, "the second beat ticks", func() bool { return len(secondTicks()) > 1 })

	// The second is killed, as by a spot interruption: its lock lapses.
	third, thirdTicks, thirdLog := beat()
	waitFor(t, "the third beat starts", func() bool { return strings.Contains(thirdLog(), "beat: Starting...") })
	assert.Empty(t, thirdTicks())
	require.NoError(t, second.Process.Kill())
	_ = second.Wait()
	waitFor(t, "the third beat ticks", func() bool { return len(thirdTicks()) > 1 })

	// The third halts for longer than its lock lasts, and wakes up: it notices.
	fourth, fourthTicks, _ := beat()
	require.NoError(t, third.Process.Signal(syscall.SIGSTOP))
	waitFor(t, "the fourth beat ticks", func() bool { return len(fourthTicks()) > 1 })
	require.NoError(t, third.Process.Signal(syscall.SIGCONT))
	require.Error(t, third.Wait(), "systemd starts it again, and it waits for the lock")
	require.NoError(t, fourth.Process.Signal(syscall.SIGTERM))
	require.NoError(t, fourth.Wait())

	// In the order of their turns, no beat ticked before the last had ended.
	all := slices.Concat(firstTicks(), secondTicks(), thirdTicks(), fourthTicks())
	assert.True(t, slices.IsSorted(all), "%s", all)
	sent, err := strconv.Atoi(f.shell(`
from config.celery import app
with app.connection_for_read() as connection:
    print(connection.default_channel.client.llen("celery"))`))
	require.NoError(t, err)
	assert.LessOrEqual(t, sent, len(all), "each task is a tick")
	assert.GreaterOrEqual(t, sent, len(all)-2, "each tick is a task, but for the last one of the two that were killed and halted")
}

var done = regexp.MustCompile(`Task notes\.tasks\.sign\[([^]]+)\] succeeded`)

// A fleet of workers is released in place, twice, while there is work.
func TestAWorkerFleetIsReleasedUnderLoad(t *testing.T) {
	t.Parallel()
	cache, _ := redis(t)
	web, _, _ := newSite(t, cache)
	web.change("app/release.sh", "'web worker beat'", "'web'")
	output, err := web.release("d-WEB")
	require.NoError(t, err, output)
	workers := newBox(t, web.bundle, web.store.parameters)
	workers.group = "example-prod-CeleryWorker"
	output, err = workers.release("d-0")
	require.NoError(t, err, output)
	for machine, memory := range map[*box]string{web: "60%", workers: "85%"} { // which web wants its part of
		unit, err := os.ReadFile(filepath.Join(machine.root, "etc/systemd/system/example-worker.service"))
		require.NoError(t, err)
		assert.Contains(t, string(unit), "\nMemoryMax="+memory+"\n")
	}

	// Tasks are sent for as long as the releases go on.
	hold := filepath.Join(t.TempDir(), "hold")
	require.NoError(t, os.WriteFile(hold, nil, 0o600))
	send := web.hookCommand("d-WEB", "scripts/shell", "python", "manage.py", "shell", "--no-imports", "--command", fmt.Sprintf(`
import os, time
from notes.models import Note
from notes.tasks import sign
while os.path.exists(%q):
    print(sign.delay(Note.objects.create(text="load").id, "Ann").id)
    time.sleep(0.02)`, hold))
	var said strings.Builder
	send.Path = filepath.Join(web.root, "srv/example/current/scripts/shell") // as installed
	send.Stdout, send.Stderr = &said, &said
	require.NoError(t, send.Start())
	log := func() string {
		text, err := os.ReadFile(filepath.Join(workers.root, "run/systemctl/example-worker.service.log"))
		require.NoError(t, err)
		return string(text)
	}
	for release := range 2 {
		before := len(done.FindAllString(log(), -1))
		waitFor(t, "the workers work", func() bool { return len(done.FindAllString(log(), -1)) > before+20 })
		output, err := workers.hook("d-0", "scripts/application-stop")
		require.NoError(t, err, output)
		assert.Contains(t, output, "stopped example-worker.service")
		output, err = workers.release(fmt.Sprintf("d-%d", release+1))
		require.NoError(t, err, output)
	}
	require.NoError(t, os.Remove(hold))
	require.NoError(t, send.Wait(), said.String())
	sent := regexp.MustCompile(`(?m)^[0-9a-f-]{36}$`).FindAllString(said.String(), -1)
	require.Greater(t, len(sent), 100)
	address := web.store.parameters["/example/prod/DATABASE_URL"]
	waitFor(t, "every task is done", func() bool {
		return query(t, address, "SELECT count(*) FROM notes_note WHERE author = 'Ann'") == fmt.Sprint(len(sent))
	})
	times := map[string]int{}
	for _, match := range done.FindAllStringSubmatch(log(), -1) {
		times[match[1]]++
	}
	again := 0
	for _, id := range sent {
		if times[id] > 1 {
			again++
		}
	}
	// Celery promises each at least once: one that ends while its worker says
	// goodbye to Redis may be done again.
	t.Logf("%d tasks sent, %d of them done twice", len(sent), again)
	assert.Less(t, again, len(sent)/10)
}
