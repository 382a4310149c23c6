package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"

	"bluegreen/sandbox/machines"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/jedib0t/go-pretty/v6/table"
)

// ErrNoMachines is the error of a command that needs machines in a sandbox that
// has none.
var ErrNoMachines = errors.New("the sandbox has no machines, only records of instances; run bluegreen sandbox destroy, then up --machines")

// Access is how a program gets to a running sandbox.
type Access struct {
	AWS     aws.Config     // of the emulated AWS
	Site    string         // where the load balancer answers, "" without machines
	Outputs map[string]any // of the stack, secrets concealed
}

// Access looks up how to get to the sandbox. Errors: ErrNotRunning.
func (s *Sandbox) Access(ctx context.Context) (Access, error) {
	record, err := s.running()
	if err != nil {
		return Access{}, err
	}
	state, err := s.deployment(ctx, record)
	if err != nil {
		return Access{}, err
	}
	return Access{AWS: s.account(record), Site: record.Site, Outputs: outputs(state)}, nil
}

// Control changes settings of the sandbox's CodeDeploy, codedeploy.Settings, by
// their names in JSON.
func (s *Sandbox) Control(ctx context.Context, settings map[string]any) error {
	record, err := s.running()
	if err != nil {
		return err
	}
	return s.control(ctx, record, settings)
}

// running is the record of the process that serves.
func (s *Sandbox) running() (server, error) {
	record, now, err := s.lookup()
	switch {
	case err != nil:
		return server{}, err
	case now == gone:
		return server{}, errGone(record)
	case now != serving:
		return server{}, ErrNotRunning
	}
	return record, nil
}

// MachineList is the machines of a sandbox.
type MachineList struct {
	Machines []Machine `json:"machines"`
}

// Machine is one of them.
type Machine struct {
	machines.Machine
	Group string `json:"group,omitempty"` // Auto Scaling group of its instance
}

// MachineList lists the machines. Errors: ErrNotRunning, ErrNoMachines.
func (s *Sandbox) MachineList(ctx context.Context) (MachineList, error) {
	record, err := s.running()
	if err != nil {
		return MachineList{}, err
	}
	found, err := s.machines(ctx, record, nil)
	if err != nil {
		return MachineList{}, err
	}
	groups := map[string]string{}
	pages := autoscaling.NewDescribeAutoScalingInstancesPaginator(autoscaling.NewFromConfig(s.account(record)), nil)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return MachineList{}, err
		}
		for _, member := range page.AutoScalingInstances {
			groups[aws.ToString(member.InstanceId)] = aws.ToString(member.AutoScalingGroupName)
		}
	}
	list := MachineList{Machines: []Machine{}}
	for _, machine := range found {
		list.Machines = append(list.Machines, Machine{machine, groups[machine.Instance]})
	}
	return list, nil
}

// End ends an instance's machine: "kill" as a power cut does, "interrupt" as EC2
// does to a spot instance. Errors: ErrNotRunning, ErrNoMachines, no such machine.
func (s *Sandbox) End(ctx context.Context, how, instance string) error {
	record, err := s.running()
	if err != nil {
		return err
	}
	_, err = s.machines(ctx, record, map[string]string{"instance": instance, "action": how})
	return err
}

// machines asks the control path of the machines, and orders something first.
func (s *Sandbox) machines(ctx context.Context, record server, order map[string]string) ([]machines.Machine, error) {
	if record.Site == "" {
		return nil, ErrNoMachines
	}
	method, body := http.MethodGet, []byte(nil)
	if order != nil {
		var err error
		if body, err = json.Marshal(order); err != nil {
			return nil, err
		}
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, record.Endpoint+machines.ControlPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		problem, _ := io.ReadAll(io.LimitReader(response.Body, 1<<12)) // what there is of it
		return nil, fmt.Errorf("sandbox: %s", bytes.TrimSpace(problem))
	}
	var found []machines.Machine
	return found, json.NewDecoder(response.Body).Decode(&found)
}

// Shell is a command that runs another one in an instance's machine as root, a
// shell when none is given. Errors: ErrNotRunning, ErrNoMachines, no such machine.
func (s *Sandbox) Shell(ctx context.Context, instance string, command ...string) (*exec.Cmd, error) {
	record, err := s.running()
	if err != nil {
		return nil, err
	}
	found, err := s.machines(ctx, record, nil)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, machine := range found {
		known = append(known, machine.Instance)
		if machine.Instance == instance && machine.Leader != 0 {
			entered := machines.Enter(machine.Leader, command...)
			return exec.CommandContext(ctx, entered[0], entered[1:]...), nil // #nosec G204 -- what the user wants
		}
	}
	slices.Sort(known)
	return nil, fmt.Errorf("machine %s: it does not run; want one of %s", instance, strings.Join(known, ", "))
}

// Report writes the machines for people.
func (l MachineList) Report(out io.Writer) {
	grid := newTable("Instance", "Address", "State", "Boot", "Auto Scaling group", "Failure")
	for _, m := range l.Machines {
		boot := ""
		if m.Boot > 0 {
			boot = fmt.Sprintf("%.1f s", m.Boot.Seconds())
		}
		grid.AppendRow(table.Row{m.Instance, m.Address, m.State, boot, m.Group, m.Failure})
	}
	grid.SuppressEmptyColumns()
	fmt.Fprintln(out, grid.Render())
}
