"""The theme as Qt's style sheet; sizes in steps of four pixels, colours by role only."""

from __future__ import annotations

from trtviewer.gui.theme import Theme

_SHEET = """
* {{ outline: none; }}
QMainWindow, QDialog {{ background: {background}; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: 4px 8px; }}
QLabel[role="faint"] {{ color: {faint}; }}
QLabel[role="heading"] {{ font-weight: 600; }}
QLabel[role="missed"] {{ color: {missed}; }}
QLabel[role="extra"] {{ color: {extra}; }}
QLabel[role="matched"] {{ color: {matched}; }}
QLabel[role="warning"] {{ color: {warning}; }}
QLabel[role="chip"] {{ background: {raised}; border: 1px solid {line}; border-radius: 4px; padding: 1px 6px; }}
QLabel[role="chip"][warn="true"] {{ color: {warning}; border-color: {warning}; }}
QWidget[role="pane-header"] {{ background: {surface}; }}
QWidget[role="panel"] {{ background: {surface}; }}
QWidget[role="transport"] {{ background: {surface}; border-top: 1px solid {line}; }}
QFrame[role="rule"] {{ background: {line}; border: none; max-height: 1px; min-height: 1px; }}

QPushButton, QToolButton, QComboBox {{
    background: {raised}; color: {text}; border: 1px solid {line}; border-radius: 4px; padding: 4px 10px; min-height: 18px;
}}
QToolButton {{ padding: 4px 8px; }}
QComboBox {{ padding-right: 2px; }}
QPushButton:hover, QToolButton:hover, QComboBox:hover {{ border-color: {control}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus {{ border-color: {accent}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {line}; }}
QPushButton:checked, QToolButton:checked {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton[role="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; }}
QPushButton:disabled, QToolButton:disabled {{ color: {faint}; background: transparent; border-color: {line}; }}
QPushButton[flat="true"] {{ background: transparent; border-color: transparent; color: {accent}; }}
QPushButton[flat="true"]:hover {{ background: {raised}; }}
QPushButton[slim="true"] {{ padding: 0 8px; min-height: 16px; }}
QPushButton[flat="true"]:focus {{ border-color: {accent}; }}
QToolButton[flat="true"] {{ background: transparent; border-color: transparent; }}
QToolButton[flat="true"]:hover {{ background: {raised}; }}
QToolButton[flat="true"]:focus {{ border-color: {accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[role="first"] {{ border-top-right-radius: 0; border-bottom-right-radius: 0; border-right-width: 0; }}
QToolButton[role="middle"] {{ border-radius: 0; border-right-width: 0; }}
QToolButton[role="last"] {{ border-top-left-radius: 0; border-bottom-left-radius: 0; }}

QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{
    width: 0; height: 0; margin-right: 6px;
    border-left: 4px solid {raised}; border-right: 4px solid {raised}; border-top: 5px solid {faint};
}}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextBrowser {{
    background: {background}; color: {text}; border: 1px solid {line}; border-radius: 4px; padding: 3px 6px;
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QTextBrowser[role="page"] {{ border: none; border-radius: 0; padding: 0; }}
QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; }}
QAbstractSpinBox {{ padding: 2px 4px; min-height: 20px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; subcontrol-origin: border; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {control}; border-radius: 3px; background: {background}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; }}
QCheckBox:focus {{ color: {accent}; }}

QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {line}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {accent}; }}
QSlider::handle:horizontal {{
    width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {text}; border: none;
}}
QSlider::handle:horizontal:hover {{ background: {accent}; }}
QSlider::handle:horizontal:focus {{ background: {accent}; }}

QMenuBar {{ background: {background}; color: {text}; padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 10px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {raised}; }}
QMenu {{ background: {surface}; color: {text}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu::item:disabled {{ color: {faint}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QMenu::indicator {{ width: 12px; height: 12px; left: 6px; }}

QToolBar {{ background: {background}; border: none; border-bottom: 1px solid {line}; padding: 4px 8px; spacing: 4px; }}
QStatusBar {{ background: {background}; color: {faint}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: none; }}
QDockWidget {{ titlebar-close-icon: none; titlebar-normal-icon: none; color: {text}; }}
QDockWidget::title {{ background: {background}; padding: 6px 12px; text-align: left; }}
QMainWindow::separator {{ background: {line}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QTabBar {{ background: {background}; }}
QTabBar::tab {{ background: transparent; color: {faint}; padding: 6px 12px; border: none; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabBar::tab:focus {{ color: {accent}; }}

QTableView, QTreeView, QListView {{
    background: {surface}; alternate-background-color: {background}; color: {text}; border: none; gridline-color: {line};
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QListView[role="contents"]::item {{ padding: 6px 12px; }}
QHeaderView::section {{
    background: {raised}; color: {faint}; border: none; border-right: 1px solid {line}; padding: 4px 8px;
}}
QHeaderView {{ background: {raised}; }}
QTableCornerButton::section {{ background: {raised}; border: none; }}
QProgressBar {{ background: {raised}; border: none; border-radius: 3px; text-align: center; color: {text}; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
QScrollArea {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {control}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QFrame[role="banner"] {{ background: {raised}; border: none; border-left: 4px solid {missed}; }}
QFrame[role="notice"] {{ background: {raised}; border: none; border-left: 4px solid {matched}; }}
QFrame[role="card"] {{ background: {surface}; border: 1px solid {line}; border-radius: 8px; }}
QFrame[role="card"][drop="true"] {{ border: 2px dashed {accent}; }}
QFrame[role="popup"] {{ background: {surface}; border: 1px solid {control}; }}
"""


def style_sheet(theme: Theme) -> str:
    """The whole style sheet in a theme's colours."""
    return _SHEET.format(**{role: getattr(theme, role) for role in theme.__slots__ if role != "name"})
