// SPDX-License-Identifier: MIT OR Unlicense
// intl: stands for Intl in the built page (server/bundle.mjs). uPlot asks for a format of numbers and for the name of the time zone as it
// starts; browsers take 30 ms to make them, before the first chart, and no chart here has any use for them.

export class NumberFormat {
  /** @param {number} value */
  format(value) {
    return String(value);
  }
}

export class DateTimeFormat {
  resolvedOptions() {
    return {};
  }
}
