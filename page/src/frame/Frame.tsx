import {
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  Page,
  SkipToContent,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { HaltBanner } from "../halt/HaltBanner";
import { HaltButton } from "../halt/HaltButton";
import { Navigation, NavigationMenu } from "./Navigation";
import { Place } from "./Place";
import { CONTENT } from "./scroller";
import { SignOut } from "./SignOut";
import { ThemeSwitch } from "./ThemeSwitch";

const WIDE = { default: "hidden", lg: "visible" } as const;
const NARROW = { default: "visible", lg: "hidden" } as const;

/** The masthead with the navigation, a slot for what is always in reach, and the screen. */
export function Frame({ children }: { readonly children: ReactNode }) {
  return (
    <Page
      masthead={<Head />}
      mainContainerId={CONTENT}
      mainTabIndex={-1}
      skipToContent={<Skip />}
      isContentFilled
    >
      <HaltBanner />
      {children}
    </Page>
  );
}

function Skip() {
  // It moves the focus alone: the fragment is the screen's address.
  return (
    <SkipToContent
      href={`#${CONTENT}`}
      onClick={(event) => {
        event.preventDefault();
        document.getElementById(CONTENT)?.focus();
      }}
    >
      Skip to content
    </SkipToContent>
  );
}

function Head() {
  return (
    <Masthead className="krkn-masthead" display={{ default: "stack", md: "inline" }}>
      <MastheadMain>
        <MastheadBrand>
          <MastheadLogo
            component={(props) => <Link {...props} to="/runs" aria-label="krkn-grpc" />}
          >
            <strong className="krkn-brand">krkn-grpc</strong>
          </MastheadLogo>
        </MastheadBrand>
        <Place />
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic isFullHeight>
          <ToolbarContent>
            <ToolbarItem isOverflowContainer visibility={WIDE}>
              <Navigation />
            </ToolbarItem>
            <ToolbarItem visibility={NARROW}>
              <NavigationMenu />
            </ToolbarItem>
            <ToolbarGroup align={{ default: "alignEnd" }} variant="action-group-plain">
              <ToolbarItem alignSelf="center">
                <HaltButton />
              </ToolbarItem>
              <ToolbarItem>
                <SignOut />
              </ToolbarItem>
              <ToolbarItem>
                <ThemeSwitch />
              </ToolbarItem>
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
}
