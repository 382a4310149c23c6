package balancer

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

const answerTime = 5 * time.Second // for a command on HAProxy's control socket

// ask gives a process commands, and returns what it says to them (HAProxy
// Management Guide, "Unix Socket commands").
func (p *process) ask(ctx context.Context, commands ...string) (string, error) {
	connection, err := (&net.Dialer{Timeout: answerTime}).DialContext(ctx, "unix", p.admin)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(answerTime)) // a local socket always has deadlines
	if _, err := io.WriteString(connection, strings.Join(commands, ";")+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	return string(answer), err
}

// order gives a process a command that has to succeed with one of some answers;
// commands that succeed in silence have none.
func (p *process) order(ctx context.Context, command string, answers ...string) error {
	said, err := p.ask(ctx, command)
	if err != nil {
		return fmt.Errorf("HAProxy: %s: %w", command, err)
	}
	said = strings.TrimSpace(said)
	for _, answer := range append(answers, "") {
		if said == answer {
			return nil
		}
	}
	return fmt.Errorf("HAProxy: %s: %s", command, said)
}

// seen is what HAProxy knows of a server.
type seen struct {
	up       bool   // enough of the last checks passed
	outcome  string // of the last check that ended: INI before the first, L7OK when it passed
	code     string // status of its answer
	sessions int    // requests in flight
}

// watch reads what a process knows of every server, by backend and name.
func (p *process) watch(ctx context.Context) (map[string]seen, error) {
	text, err := p.ask(ctx, "show stat -1 4 -1")
	if err != nil {
		return nil, fmt.Errorf("HAProxy: show stat: %w", err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(strings.TrimSpace(text), "# "))).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(errors.New("HAProxy: show stat: no table"), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	found := map[string]seen{}
	for _, row := range rows[1:] {
		field := func(name string) string {
			if i, ok := column[name]; ok {
				return row[i]
			}
			return ""
		}
		sessions, _ := strconv.Atoi(field("scur")) // none when it is empty
		found[field("pxname")+"/"+field("svname")] = seen{
			up:       strings.HasPrefix(field("status"), "UP"),
			outcome:  strings.TrimPrefix(field("check_status"), "* "), // while the next one is on its way
			code:     field("check_code"),
			sessions: sessions,
		}
	}
	return found, nil
}
