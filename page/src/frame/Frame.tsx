import {
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  Nav,
  NavItem,
  NavList,
  Page,
  SkipToContent,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link, useLocation } from "react-router";
import { HaltBanner } from "../halt/HaltBanner";
import { HaltButton } from "../halt/HaltButton";
import { NAVIGATION } from "../routes";
import { ThemeSwitch } from "./ThemeSwitch";
import { User } from "./User";

import { CONTENT } from "./scroller";

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
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic isFullHeight>
          <ToolbarContent>
            <ToolbarItem isOverflowContainer>
              <Navigation />
            </ToolbarItem>
            <ToolbarGroup align={{ default: "alignEnd" }} variant="action-group-plain">
              <ToolbarItem alignSelf="center">
                <HaltButton />
              </ToolbarItem>
              <ToolbarItem>
                <User />
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

function Navigation() {
  const { pathname } = useLocation();
  return (
    <Nav variant="horizontal" aria-label="Screens">
      <NavList>
        {NAVIGATION.map(({ to, title }) => (
          <NavItem key={to} isActive={pathname === to || pathname.startsWith(`${to}/`)}>
            <Link to={to}>{title}</Link>
          </NavItem>
        ))}
        <NavItem>
          <a href="/api/v1/docs" target="_blank" rel="noreferrer">
            API
          </a>
        </NavItem>
      </NavList>
    </Nav>
  );
}
