// SPDX-License-Identifier: MIT OR Unlicense
// The build puts uPlot's module beside ours; its types stay in its package.
import uPlot from 'uplot';
export default uPlot;
