package main

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// Tables of lines "<Terraform name> <module> <member>"; module and member are
// what the SDK of the plugin's version calls it.
var (
	//go:embed resources.txt
	resourceTable string
	//go:embed functions.txt
	functionTable string
)

type row struct{ terraform, module, member string }

// token has the form of all tokens of the SDK: aws:ec2/vpc:Vpc.
func (r row) token() string {
	file := string(unicode.ToLower(rune(r.member[0]))) + r.member[1:]
	return fmt.Sprintf("aws:%s/%s:%s", r.module, file, r.member)
}

func rows(table string) ([]row, error) {
	var all []row
	for number, line := range strings.Split(strings.TrimSuffix(table, "\n"), "\n") {
		words := strings.Fields(line)
		if len(words) != 3 {
			return nil, fmt.Errorf("token table: line %d: %q has %d words, want Terraform name, module and member", number+1, line, len(words))
		}
		all = append(all, row{words[0], words[1], words[2]})
	}
	return all, nil
}

func resources() (map[string]*tfbridge.ResourceInfo, error) {
	all, err := rows(resourceTable)
	infos := make(map[string]*tfbridge.ResourceInfo, len(all))
	for _, r := range all {
		infos[r.terraform] = &tfbridge.ResourceInfo{
			Tok:    tokens.Type(r.token()),
			Fields: map[string]*tfbridge.SchemaInfo{},
		}
	}
	return infos, err
}

func functions() (map[string]*tfbridge.DataSourceInfo, error) {
	all, err := rows(functionTable)
	infos := make(map[string]*tfbridge.DataSourceInfo, len(all))
	for _, r := range all {
		infos[r.terraform] = &tfbridge.DataSourceInfo{
			Tok:    tokens.ModuleMember(r.token()),
			Fields: map[string]*tfbridge.SchemaInfo{},
		}
	}
	return infos, err
}
