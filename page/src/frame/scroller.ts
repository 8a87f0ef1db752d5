/** The id of the element that has the screens. */
export const CONTENT = "content";

/** The element that scrolls the screens: PatternFly's main container. */
export function scroller(): HTMLElement | null {
  return document.getElementById(CONTENT);
}
