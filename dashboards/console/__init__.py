"""The console: Streamlit pages over the files that runs leave behind."""
