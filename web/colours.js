// SPDX-License-Identifier: MIT OR Unlicense
// colours: those of style.css that charts draw with; canvases know nothing of custom properties.

export const theme = { accent: '', band: '', muted: '', grid: '', gap: '', lost: '', mark: '', ground: '', ink: '' };

/** To be called before the first chart, and when the page's colours change. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of /** @type {(keyof typeof theme)[]} */ (Object.keys(theme))) {
    const own = style.getPropertyValue(`--chart-${name}`).trim();
    theme[name] = own || style.getPropertyValue(`--${name}`).trim();
  }
}
