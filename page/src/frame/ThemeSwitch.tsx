import { MenuToggle, Select, SelectList, SelectOption } from "@patternfly/react-core";
import { AdjustIcon, MoonIcon, SunIcon } from "@patternfly/react-icons";
import { useState, useSyncExternalStore } from "react";
import { theme, THEMES, type Theme } from "./theme";

const TITLES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };
const ICONS: Record<Theme, React.ReactNode> = {
  system: <AdjustIcon />,
  light: <SunIcon />,
  dark: <MoonIcon />,
};

export function ThemeSwitch() {
  const [isOpen, setOpen] = useState(false);
  const chosen = useSyncExternalStore(theme.subscribe, theme.chosen);
  return (
    <Select
      isOpen={isOpen}
      selected={chosen}
      onOpenChange={setOpen}
      onSelect={(_, value) => {
        theme.choose(value as Theme);
        setOpen(false);
      }}
      popperProps={{ position: "right" }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          aria-label={`Colours: ${TITLES[chosen]}`}
          icon={ICONS[chosen]}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
      )}
    >
      <SelectList>
        {THEMES.map((each) => (
          <SelectOption key={each} value={each} icon={ICONS[each]}>
            {TITLES[each]}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
}
