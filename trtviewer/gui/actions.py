"""Every command of the window in one table: menus, tool tips, keys and the shortcut sheet are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trtviewer.gui.help.text import TOUR, WHAT_NOW
from trtviewer.gui.view_model import PaneMode, TruthLayer

if TYPE_CHECKING:
    from trtviewer.gui.main_window import MainWindow


class Menu(StrEnum):
    """The menus, in their order; the title is what the user reads."""

    FILE = "&File"
    VIEW = "&View"
    PLAY = "&Play"
    COMPARE = "&Compare"
    HELP = "&Help"


@dataclass(frozen=True, slots=True)
class Action:
    """One command.

    Attributes:
        id: stable; also the QAction's objectName.
        title: in the menu; with an ellipsis where a dialog follows.
        tip: one sentence for the tool tip; the title where empty.
        menu: where it stands.
        run: what it does, with the window.
        keys: shortcuts, the first is shown.
        icon: a name of `icons.py`.
        checked: for commands that are on or off: whether it is on now.
        group: a line is drawn in the menu where it changes.
        in_sheet: whether the shortcut sheet lists it.
    """

    id: str
    title: str
    menu: Menu
    run: Callable[[MainWindow], None]
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    checked: Callable[[MainWindow], bool] | None = None
    group: int = 0
    in_sheet: bool = True

    @property
    def name(self) -> str:
        """The title as plain words."""
        return self.title.replace("&", "").rstrip("…")

    @property
    def help(self) -> str:
        return self.tip or self.name


def _mode(mode: PaneMode, title: str, key: str, tip: str) -> Action:
    return Action(
        f"mode.{mode.value}",
        title,
        Menu.VIEW,
        lambda window: window.set_mode(mode),
        (key,),
        tip,
        mode.value,
        lambda window: window.view_model.display.mode is mode,
    )


def _candidate(number: int) -> Action:
    return Action(
        f"candidate.{number}",
        f"Show candidate {number}",
        Menu.COMPARE,
        lambda window: window.requests.show_candidate.emit(number - 1),
        (str(number),),
        f"Puts {'a' if number == 1 else 'this'} candidate of the list into the candidate pane, on the same frame",
        group=3,
        in_sheet=number == 1,
    )


MODES = (
    _mode(PaneMode.SIDE_BY_SIDE, "Side by side", "A", "Reference and candidate beside each other"),
    _mode(PaneMode.SPLIT, "Split", "S", "One picture; drag the divider between reference and candidate"),
    _mode(PaneMode.BLINK, "Blink", "B", "Reference and candidate in turns: what differs flickers"),
    _mode(PaneMode.SINGLE, "Single", "G", "One side in the whole window; Shift+G changes to the other"),
    _mode(PaneMode.DIFFERENCE, "Difference", "D", "Only what is missed or extra, out of a dimmed picture"),
)

ACTIONS: tuple[Action, ...] = (
    Action("file.open", "&Open…", Menu.FILE, lambda window: window.ask_anything(), ("Ctrl+O",), "Opens models, videos and pictures, several at once; INT8 becomes the candidate"),
    Action("file.open_reference", "Open &reference…", Menu.FILE, lambda window: window.ask_model("reference"), ("Ctrl+R",), "Opens the model that is compared with, usually FP32"),
    Action("file.add_candidate", "Add &candidate…", Menu.FILE, lambda window: window.ask_model("candidate"), ("Ctrl+D",), "Opens another model to compare, usually INT8", "plus"),
    Action("file.open_source", "Open &video or picture…", Menu.FILE, lambda window: window.ask_source(), ("Ctrl+Shift+O",), "Opens a video or a picture"),
    Action("file.open_folder", "Open &folder of pictures…", Menu.FILE, lambda window: window.ask_folder(), ("Ctrl+Shift+F",), "Opens all pictures of a folder, in natural order"),
    Action("file.open_labels", "Open &labels…", Menu.FILE, lambda window: window.ask_labels(), ("Ctrl+L",), "Opens ground truth for the video: a COCO JSON, or the folder of a YOLO data set"),
    Action("file.save_picture", "&Save picture…", Menu.FILE, lambda window: window.save_picture(), ("Ctrl+S",), "Saves the two pictures as they are seen, with a legend, as PNG", group=2),
    Action("file.copy_picture", "&Copy picture", Menu.FILE, lambda window: window.copy_picture(), ("Ctrl+C",), "Puts the two pictures as they are seen on the clipboard", group=2),
    Action("file.export_video", "E&xport video…", Menu.FILE, lambda window: window.export_video(), ("Ctrl+Shift+E",), "Writes a range side by side with its boxes, as MP4", group=2),
    Action("file.save_figures", "Save &figures…", Menu.FILE, lambda window: window.save_figures(), ("Ctrl+E",), "Saves the figures of what is analysed as JSON, as compare --json does", group=2),
    Action("file.export_report", "Export repor&t…", Menu.FILE, lambda window: window.export_report(), ("Ctrl+Shift+R",), "Runs both models over the video, the loop or this frame and writes the report as one page to mail, as compare --html does", group=2),
    Action("file.save_evidence", "Save evi&dence…", Menu.FILE, lambda window: window.save_evidence(), ("Ctrl+Shift+D",), "Runs both models over the video, the loop or this frame and writes its worst frames with both sides' outputs, which open again with no model", group=2),
    Action("file.build_engine", "&Build engine…", Menu.FILE, lambda window: window.build_engine(), ("Ctrl+Shift+B",), "Builds a TensorRT engine of the reference or the candidate, as trtviewer build does", group=2),
    Action("file.open_session", "Open sess&ion…", Menu.FILE, lambda window: window.ask_session(), ("Ctrl+Shift+P",), "Opens a saved session", group=3),
    Action("file.save_session", "Save s&ession…", Menu.FILE, lambda window: window.save_session(), ("Ctrl+Shift+S",), "Saves what is open, the frame, the thresholds and the view as a readable TOML file", group=3),
    Action("file.quit", "&Quit", Menu.FILE, lambda window: window.close(), ("Ctrl+Q",), group=9),
    *MODES,
    Action("view.flip", "Other side", Menu.VIEW, lambda window: window.flip_side(), ("Shift+G",), "In the single mode: shows the other side", group=1),
    Action("view.split_left", "Divider to the left", Menu.VIEW, lambda window: window.comparison.move_split(-0.05), ("Ctrl+Left",), "In the split mode: moves the divider", group=1),
    Action("view.split_right", "Divider to the right", Menu.VIEW, lambda window: window.comparison.move_split(0.05), ("Ctrl+Right",), "In the split mode: moves the divider", group=1),
    Action("view.fit", "Fit", Menu.VIEW, lambda window: window.comparison.fit(), ("0", "F"), "Shows the whole frame (double click on the picture)", group=2),
    Action("view.one_to_one", "One to one", Menu.VIEW, lambda window: window.comparison.one_to_one(), ("Z",), "One pixel of the frame is one pixel of the screen", group=2),
    Action("view.zoom_in", "Zoom in", Menu.VIEW, lambda window: window.comparison.zoom_by(1.25), ("+", "="), "Zooms both panes (wheel over the picture; drag moves it)", group=2),
    Action("view.zoom_out", "Zoom out", Menu.VIEW, lambda window: window.comparison.zoom_by(0.8), ("-",), group=2),
    Action("view.boxes", "Boxes", Menu.VIEW, lambda window: window.flip_display("boxes"), ("X",), "Draws the boxes, or hides all of them", checked=lambda window: window.view_model.display.boxes, group=3),
    Action("view.labels", "Labels", Menu.VIEW, lambda window: window.flip_display("labels"), ("L",), "Draws class and score beside the boxes", checked=lambda window: window.view_model.display.labels, group=3),
    Action("view.matched", "Matched boxes", Menu.VIEW, lambda window: window.flip_display("matched"), ("M",), "Draws the boxes that both sides have, or only the missed and extra ones", checked=lambda window: window.view_model.display.matched, group=3),
    Action("view.heatmap", "Heatmap on the picture", Menu.VIEW, lambda window: window.flip_heatmap(), ("H",), "Lays the heatmap of the smallest objects over both pictures, or takes it away", checked=lambda window: window.view_model.overlay is not None, group=3),
    Action("view.truth", "True objects", Menu.VIEW, lambda window: window.flip_truth(TruthLayer.ALL), ("T",), "Draws what is really there, where the source or its labels know it", checked=lambda window: window.view_model.display.truth is TruthLayer.ALL, group=3),
    Action("view.truth_lost", "True and lost objects", Menu.VIEW, lambda window: window.flip_truth(TruthLayer.LOST), ("Shift+T",), "Draws only the true objects that the reference finds and the candidate does not", checked=lambda window: window.view_model.display.truth is TruthLayer.LOST, group=3),
    Action("view.presentation", "Presentation", Menu.VIEW, lambda window: window.toggle_presentation(), ("F11",), "Panes, verdict and speeds only, in large type; the same key goes back", checked=lambda window: window.presenting, group=4),
    Action("view.back", "Back", Menu.VIEW, lambda window: window.go_back(), ("Esc",), "Leaves the presentation, or the place that was chosen in a table or map", group=4),
    Action("play.toggle", "Play or pause", Menu.PLAY, lambda window: window.engine.toggle(), ("Space",), "Plays the video at its own speed, or pauses", "play", lambda window: window.view_model.playing.playing),
    Action("play.back", "One frame back", Menu.PLAY, lambda window: window.requests.step.emit(-1), ("Left",), "Pauses and goes one frame back", "back"),
    Action("play.forward", "One frame on", Menu.PLAY, lambda window: window.requests.step.emit(1), ("Right",), "Pauses and goes one frame on", "forward"),
    Action("play.back_second", "One second back", Menu.PLAY, lambda window: window.skip_seconds(-1), ("Shift+Left",), group=1),
    Action("play.forward_second", "One second on", Menu.PLAY, lambda window: window.skip_seconds(1), ("Shift+Right",), group=1),
    Action("play.start", "To the start", Menu.PLAY, lambda window: window.requests.seek.emit(0), ("Home",), group=1),
    Action("play.end", "To the end", Menu.PLAY, lambda window: window.seek_end(), ("End",), group=1),
    Action("play.next_disagreement", "Next disagreement", Menu.PLAY, lambda window: window.walk.go(forwards=True), ("N",), "Shows the next missed or extra object in both panes", "next_miss", group=2),
    Action("play.previous_disagreement", "Previous disagreement", Menu.PLAY, lambda window: window.walk.go(forwards=False), ("Shift+N",), "Shows the missed or extra object before in both panes", "previous_miss", group=2),
    Action("play.slower", "Slower", Menu.PLAY, lambda window: window.change_speed(-1), ("[",), "Plays slower, down to a quarter", group=3),
    Action("play.faster", "Faster", Menu.PLAY, lambda window: window.change_speed(1), ("]",), "Plays faster, up to four times", group=3),
    Action("play.loop_start", "Loop from here", Menu.PLAY, lambda window: window.set_loop_edge(first=True), ("I",), "Sets the first frame of the range that repeats (Shift and drag on the timeline)", group=4),
    Action("play.loop_end", "Loop until here", Menu.PLAY, lambda window: window.set_loop_edge(first=False), ("O",), "Sets the last frame of the range that repeats", group=4),
    Action("play.loop_clear", "No loop", Menu.PLAY, lambda window: window.clear_loop(), ("Shift+I",), group=4),
    Action("compare.analyse", "Analyse the whole video", Menu.COMPARE, lambda window: window.requests.analyse.emit(), ("Ctrl+Return",), "Compares every frame in the background, for figures, timeline and table"),
    Action("compare.measure", "Measure each alone", Menu.COMPARE, lambda window: window.measure_alone(), ("Ctrl+B",), "Runs the honest benchmark: each model alone, then both at once"),
    Action("compare.reset", "Thresholds to defaults", Menu.COMPARE, lambda window: window.thresholds.reset_all(), ("Ctrl+0",), "Sets confidence, NMS IoU, match IoU and epsilon back to their defaults", group=1),
    Action("compare.swap", "Swap reference and candidate", Menu.COMPARE, lambda window: window.engine.swap_sides(), ("Ctrl+T",), group=2),
    Action("compare.close_candidate", "Close candidate", Menu.COMPARE, lambda window: window.close_candidate(), ("Ctrl+W",), "Takes the shown candidate out of the list", group=2),
    *(_candidate(number) for number in range(1, 10)),
    Action("help.tour", "&Help", Menu.HELP, lambda window: window.show_help(TOUR), ("F1",), "A tour with pictures, formats, command line, troubleshooting; its links open what they name"),
    Action("help.what_now", "My INT8 model &loses objects: what now?", Menu.HELP, lambda window: window.show_help(WHAT_NOW), ("Shift+F1",), "From the symptom to the cure, step by step; each step's links open what it speaks of"),
    Action("help.shortcuts", "&Shortcuts", Menu.HELP, lambda window: window.show_shortcuts(), ("?",), "Shows every key"),
    Action("help.runtimes", "Runtimes and where they are looked for…", Menu.HELP, lambda window: window.show_about(2), tip="Shows where TensorRT, pycuda and CUDA were looked for, and takes another folder", group=1),
    Action("help.licences", "Licences…", Menu.HELP, lambda window: window.show_about(1), tip="Shows the licences of what this program runs on", group=1),
    Action("help.about", "About trtviewer", Menu.HELP, lambda window: window.show_about(), group=1),
)  # fmt: skip
"""All commands, in the order of their menus."""
