package emulator

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	motoLogName      = "moto.log"
	sourcesDir       = "motoserver"
	motoStartTimeout = time.Minute     // about 1 s on a warm disk; the first start also compiles Python's sources
	motoStopTimeout  = 5 * time.Second // after which it is killed: it has nothing to save
)

// motoSources starts at server.py, which imports the others.
//
//go:embed motoserver/*.py
var motoSources embed.FS

// moto is moto's server process.
type moto struct {
	url     string
	logPath string
	command *exec.Cmd
	stdin   io.Closer     // open as long as this process lives; the launcher ends when it closes
	ended   chan struct{} // closed when the process has ended
	stopped chan struct{} // closed when stop was called
	once    sync.Once     // closes stopped
}

// startMoto starts the launcher and returns once moto answers.
//
// The listening socket is opened here and handed down, so that the port is known
// and taken before Python has started.
func startMoto(ctx context.Context, config Config) (*moto, error) {
	files := filepath.Join(config.Dir, sourcesDir)
	images := filepath.Join(files, "images.json")
	if err := errors.Join(writeSources(files), config.Seed.writeImages(images)); err != nil {
		return nil, err
	}
	log, err := openLog(filepath.Join(config.Dir, motoLogName))
	if err != nil {
		return nil, err
	}
	socket, address, err := inheritableListener()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	m := &moto{
		url:     "http://" + address,
		logPath: log.Name(),
		command: exec.Command(config.Python, "-I", filepath.Join(files, "server.py"), "3"), // 3: the first of ExtraFiles
		ended:   make(chan struct{}),
		stopped: make(chan struct{}),
	}
	m.command.Env = motoEnvironment(os.Environ(), config.Account, images)
	m.command.Stdout, m.command.Stderr = log, log
	m.command.ExtraFiles = []*os.File{socket}
	m.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C in the terminal is not for moto
	m.stdin, err = m.command.StdinPipe()
	if err == nil {
		err = m.command.Start()
	}
	// Moto alone holds the socket now: once it has ended, connections are refused.
	if err := errors.Join(err, socket.Close(), log.Close()); err != nil {
		return nil, fmt.Errorf("moto did not start: %w; want the interpreter of a virtual environment with requirements.txt installed", err)
	}
	go func() {
		_ = m.command.Wait() // ProcessState tells the same
		close(m.ended)
	}()
	if err := m.ready(ctx); err != nil {
		return nil, errors.Join(err, m.stop())
	}
	return m, nil
}

// writeSources puts the embedded Python where an interpreter can read it.
func writeSources(dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil { // an older version's files go
		return err
	}
	sources, err := motoSources.ReadDir(sourcesDir)
	if err != nil {
		return err
	}
	for _, source := range sources {
		content, err := motoSources.ReadFile(path.Join(sourcesDir, source.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, source.Name()), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// inheritableListener opens a free loopback port as a file for a child process.
func inheritableListener() (*os.File, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	file, err := listener.(*net.TCPListener).File()
	return file, listener.Addr().String(), errors.Join(err, listener.Close())
}

// motoEnvironment is the caller's environment without AWS credentials and
// without settings of moto that would change its behaviour.
func motoEnvironment(inherited []string, account, images string) []string {
	environment := slices.DeleteFunc(slices.Clone(inherited), func(entry string) bool {
		return strings.HasPrefix(entry, "AWS_") || strings.HasPrefix(entry, "MOTO_")
	})
	return append(environment,
		"MOTO_ACCOUNT_ID="+account,
		"MOTO_AMIS_PATH="+images,
		"MOTO_IAM_LOAD_MANAGED_POLICIES=true", // AWSCodeDeployRole and its like
		"MOTO_ACM_VALIDATION_WAIT=1",          // seconds until a certificate counts as validated; default 60
	)
}

// ready waits for the first answer. The request queues on the socket until moto
// accepts, and fails at once when the process ends.
func (m *moto) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, motoStartTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+"/moto-api/data.json", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		select {
		case <-m.ended:
			return fmt.Errorf("moto did not start: %s; install requirements.txt in the virtual environment of %s", m.outcome(), m.command.Path)
		case <-time.After(time.Second): // its socket is closed a moment before it has ended
			return fmt.Errorf("moto did not answer: %w; see %s", err, m.logPath)
		}
	}
	return errors.Join(json.NewDecoder(response.Body).Decode(&map[string]any{}), response.Body.Close())
}

func (m *moto) alive() bool {
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// wait returns when moto has ended: nil when stop was called, an error otherwise.
func (m *moto) wait() error {
	<-m.ended
	select {
	case <-m.stopped:
		return nil
	default:
		return fmt.Errorf("moto (process %d) ended: %s; the emulated AWS and all it held is gone", m.command.Process.Pid, m.outcome())
	}
}

// outcome says how moto ended, with the last line that it wrote.
func (m *moto) outcome() string {
	return fmt.Sprintf("%s, last line of %s: %q", m.command.ProcessState, m.logPath, lastLine(m.logPath))
}

// lastLine is for messages only, so a log that cannot be read is an empty line.
func lastLine(path string) string {
	content, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return lines[len(lines)-1]
}

// stop ends moto's process group, and returns when moto is gone.
func (m *moto) stop() error {
	m.once.Do(func() { close(m.stopped) })
	_ = m.stdin.Close() // closed already where the process has ended
	select {
	case <-m.ended:
		return nil
	case <-time.After(motoStopTimeout):
	}
	if err := syscall.Kill(-m.command.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("moto: kill process group %d: %w", m.command.Process.Pid, err)
	}
	<-m.ended
	return nil
}
