import {
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  Nav,
  NavItem,
  NavList,
} from "@patternfly/react-core";
import { BarsIcon } from "@patternfly/react-icons";
import { useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { NAVIGATION } from "../routes";

const REFERENCE = { href: "/api/v1/docs", target: "_blank", rel: "noreferrer" };

/** The screens in one line. */
export function Navigation() {
  const here = useHere();
  return (
    <Nav variant="horizontal" aria-label="Screens">
      <NavList>
        {NAVIGATION.map(({ to, title }) => (
          <NavItem key={to} isActive={to === here?.to}>
            <Link to={to}>{title}</Link>
          </NavItem>
        ))}
        <NavItem>
          <a {...REFERENCE}>API</a>
        </NavItem>
      </NavList>
    </Nav>
  );
}

/** The screens as a menu, where there is no room for the line. */
export function NavigationMenu() {
  const here = useHere();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          icon={<BarsIcon />}
          isExpanded={isOpen}
          aria-label={`Screens, now ${here?.title ?? "none"}`}
          onClick={() => setOpen(!isOpen)}
        >
          {here?.title ?? "Screens"}
        </MenuToggle>
      )}
    >
      <DropdownList>
        {NAVIGATION.map(({ to, title }) => (
          <DropdownItem key={to} isSelected={to === here?.to} onClick={() => void navigate(to)}>
            {title}
          </DropdownItem>
        ))}
        <DropdownItem to={REFERENCE.href} target={REFERENCE.target} rel={REFERENCE.rel}>
          API
        </DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}

function useHere() {
  const { pathname } = useLocation();
  return NAVIGATION.find(({ to }) => pathname === to || pathname.startsWith(`${to}/`));
}
