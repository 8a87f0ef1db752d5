// Lints the Argo Workflows templates in the named files, as `argo lint --offline --strict` does; that
// program itself does not build from the module, which lacks its pages.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/argoproj/argo-workflows/v4/util/logging"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
	"github.com/argoproj/argo-workflows/v4/workflow/validate"
)

func main() {
	log := logging.NewSlogLogger(logging.Error, logging.Text)
	ctx := logging.WithLogger(context.Background(), log)
	failed := false
	for _, file := range os.Args[1:] {
		if err := lint(ctx, file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			failed = true
		}
	}
	if failed || len(os.Args) < 2 {
		os.Exit(1)
	}
}

func lint(ctx context.Context, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	templates, err := common.SplitWorkflowTemplateYAMLFile(ctx, body, true)
	if err != nil {
		return err
	}
	if len(templates) == 0 {
		return fmt.Errorf("has no WorkflowTemplate")
	}
	for _, template := range templates {
		options := validate.ValidateOpts{Lint: true}
		if err := validate.ValidateWorkflowTemplate(ctx, nil, nil, &template, nil, options); err != nil {
			return err
		}
	}
	return nil
}
