/** Bars by Chart.js, in the colours of the page. This module is loaded with the charts. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Legend,
  LinearScale,
  Tooltip,
  type ChartConfiguration,
} from "chart.js";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Legend, Tooltip);

export interface Series {
  readonly title: string;
  /** The name of a colour in style.css, such as `failed`. */
  readonly colour: string;
  readonly values: readonly number[];
}

export interface Bars {
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

/** Draw bars into a canvas; returns what removes them. */
export function draw(canvas: HTMLCanvasElement, bars: Bars): () => void {
  const chart = new Chart(canvas, configuration(bars));
  return () => chart.destroy();
}

function configuration({ labels, series }: Bars): ChartConfiguration<"bar"> {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const text = read("--pf-t--global--text--color--subtle");
  const lines = read("--pf-t--global--border--color--default");
  const font = { family: read("--pf-t--global--font--family--body"), size: 12 };
  return {
    type: "bar",
    data: {
      labels: [...labels],
      datasets: series.map(({ title, colour, values }) => ({
        label: title,
        data: [...values],
        backgroundColor: read(`--krkn-${colour}`),
        maxBarThickness: 36,
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: {
          display: series.length > 1,
          align: "start",
          labels: { color: text, font, boxWidth: 10, boxHeight: 10 },
        },
        tooltip: { bodyFont: font, titleFont: font },
      },
      scales: {
        x: {
          stacked: true,
          grid: { display: false },
          ticks: { color: text, font, maxRotation: 0, autoSkipPadding: 12 },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          border: { display: false },
          grid: { color: lines },
          ticks: { color: text, font, precision: 0 },
        },
      },
    },
  };
}
