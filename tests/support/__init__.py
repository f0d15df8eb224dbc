"""What tests share: data, runs of the programs, a cluster, pictures and folders to draw."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
