package main

import (
	"bluegreen/internal/language"
	"bluegreen/stacks"

	"github.com/spf13/cobra"
)

// languageHost is what tools/language/pulumi-language-go becomes.
func languageHost() *cobra.Command {
	return &cobra.Command{
		Use:                "language-host [FLAG …] ADDRESS",
		Short:              "Run the program for a Pulumi engine that has no Go language host",
		Hidden:             true,
		DisableFlagParsing: true, // the engine's flags are about other programs than this one
		RunE: func(cmd *cobra.Command, arguments []string) error {
			engine := ""
			if len(arguments) > 0 {
				engine = arguments[len(arguments)-1]
			}
			return language.Serve(cmd.Context(), stacks.Run, engine, cmd.OutOrStdout())
		},
	}
}
