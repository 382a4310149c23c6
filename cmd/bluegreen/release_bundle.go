package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bluegreen/internal/release"

	"github.com/spf13/cobra"
)

func bundleCommand() *cobra.Command {
	var source release.Source
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Make only the bundle of a commit, and check its appspec.yml",
		Long: `Make only the bundle of a commit, and check its appspec.yml.

The bundle is a tar archive, compressed with gzip: appspec.yml, environment.yaml,
scripts and app of the commit, and what its scripts/build makes of them, which runs
in a copy. The same commit makes the same bytes, on every machine that has the same
bluegreen, if its build does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source.Output = cmd.ErrOrStderr()
			bundle, err := release.MakeBundle(cmd.Context(), source)
			if err != nil {
				return err
			}
			if file != "" {
				if err := writeBundle(file, bundle); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(bundle)
			}
			bundle.Report(cmd.OutOrStdout())
			return nil
		},
	}
	sourceFlags(cmd, &source)
	cmd.Flags().StringVar(&file, "output", "", "write the bundle to this file (default: only check it)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what the bundle is as JSON")
	return cmd
}

// writeBundle writes the whole file or none.
func writeBundle(file string, bundle *release.Bundle) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), ".bundle-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // gone already when all went well
	_, err = bundle.WriteTo(temporary)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.Rename(temporary.Name(), file)
}
