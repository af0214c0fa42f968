"""Draws ratios over P, as SVG, with gnuplot."""

import shutil
import subprocess

# As those of tollgate-load: bench/load/report.cc.
LOOK = "set terminal svg size 1200,420 background rgb 'white' font 'sans,12'\nset grid\nset key below maxrows 1\n"


def can_draw():
    return shutil.which("gnuplot") is not None


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def draw_ratios(path, panels):
    """`panels`: {title: [(P, least, median, greatest, ship, aim)]}, one beside the other."""
    script = [LOOK, f"set output {quoted(path)}\nset multiplot layout 1,{len(panels)}\n",
              "set logscale x 4\nset xlabel 'P, commands in flight on a connection'\nset yrange [0:*]\n"
              "set offsets 0, 0, graph 0.05, 0\n"]
    for number, (title, points) in enumerate(panels.items()):
        rows = "".join(" ".join(map(str, point)) + "\n" for point in points)
        places = ", ".join(str(point[0]) for point in points)
        script.append(
            f"$panel{number} << EOD\n{rows}EOD\nset title {quoted(title)} font ',10'\nset xtics ({places})\n"
            f"set xrange [{points[0][0] / 2}:{points[-1][0] * 2}]\n"
            f"plot $panel{number} using 1:5 with linespoints dashtype 2 title 'ship', "
            f"$panel{number} using 1:6 with linespoints dashtype 3 title 'aim', "
            f"$panel{number} using 1:3:2:4 with yerrorlines linewidth 2 title 'measured'\n")
    subprocess.run(["gnuplot", "-"], input="".join(script) + "unset multiplot\n", text=True, check=True)
