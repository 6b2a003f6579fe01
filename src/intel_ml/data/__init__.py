"""src/intel_ml/data"""
