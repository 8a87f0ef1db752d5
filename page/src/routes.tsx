/** The screens, by their addresses in the fragment: `/#/runs/ID`. */
import { lazy, type ComponentType } from "react";
import { RunScreen } from "./run/RunScreen";
import { RunsScreen } from "./runs/RunsScreen";

const ChartsScreen = lazy(() => import("./charts/ChartsScreen"));
const NewRunScreen = lazy(() => import("./newrun/NewRunScreen"));
const ScenariosScreen = lazy(() => import("./scenarios/ScenariosScreen"));
const TargetsScreen = lazy(() => import("./targets/TargetsScreen"));

export interface ScreenRoute {
  readonly path: string;
  readonly Screen: ComponentType;
}

export const ROUTES: readonly ScreenRoute[] = [
  { path: "/runs", Screen: RunsScreen },
  { path: "/runs/:runId/:tab?", Screen: RunScreen },
  { path: "/new", Screen: NewRunScreen },
  { path: "/targets", Screen: TargetsScreen },
  { path: "/scenarios", Screen: ScenariosScreen },
  { path: "/charts", Screen: ChartsScreen },
];

/** What stands in the navigation, in this order. */
export const NAVIGATION: readonly { readonly to: string; readonly title: string }[] = [
  { to: "/runs", title: "Runs" },
  { to: "/new", title: "New run" },
  { to: "/targets", title: "Targets" },
  { to: "/scenarios", title: "Scenarios" },
  { to: "/charts", title: "Trends" },
];
