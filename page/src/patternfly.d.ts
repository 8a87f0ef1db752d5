/** PatternFly's class names come with their styles as .mjs, and with types under another name. */
declare module "@patternfly/react-styles/css/components/Label/label.mjs" {
  export { default } from "@patternfly/react-styles/css/components/Label/label";
}
declare module "@patternfly/react-styles/css/components/Table/table.mjs" {
  export { default } from "@patternfly/react-styles/css/components/Table/table";
}
